package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.hazelcast.core.HazelcastException;
import com.hazelcast.map.IMap;
import java.lang.reflect.Proxy;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bergfried.contract.seal.SealKeys;
import org.bergfried.contract.seal.Sealer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
final class HazelcastLogWriterTest {
    private static final Duration AFTER_END = HazelcastLogWriter.LIFE_AFTER_END;

    /// What was written to the store: a key and the milliseconds that it lives on.
    private record Written(String key, long lifeMillis) {}

    private final BlockingQueue<Written> written = new LinkedBlockingQueue<>();
    private final AtomicInteger failuresLeft = new AtomicInteger();

    @Test
    void theEndOfALogIsWrittenAgainUntilTheStoreTakesIt() throws Exception {
        try (var writer = new HazelcastLogWriter(map("generations"), map("segments"))) {
            failuresLeft.set(3);
            writer.append("g1", 1, 0, TokenIds.of(5, 6));
            writer.finish("g1", "stop");
            assertEquals(new Written("g1/0", AFTER_END.toMillis()), written.take());
            assertEquals(new Written("g1/end", AFTER_END.toMillis()), written.take());
            assertEquals(new Written("g1", AFTER_END.toMillis()), written.take());
        }
    }

    /// A map that fails so many times before it takes a value.
    private HazelcastSealedMap map(String name) {
        var random = new SecureRandom();
        @SuppressWarnings("unchecked") // the only interface of the proxy
        var map = (IMap<String, byte[]>) Proxy.newProxyInstance(
                IMap.class.getClassLoader(),
                new Class<?>[] {IMap.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getName" -> name;
                    case "set" -> write((String) arguments[0], (long) arguments[2], (TimeUnit) arguments[3]);
                    case "setTtl" -> write((String) arguments[0], (long) arguments[1], (TimeUnit) arguments[2]);
                    default -> throw new IllegalStateException(method + " is not expected");
                });
        return new HazelcastSealedMap(map, new Sealer(SealKeys.generate(random, "k1"), random));
    }

    private boolean write(String key, long life, TimeUnit unit) {
        if (failuresLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new HazelcastException("no answer");
        }
        return written.add(new Written(key, unit.toMillis(life)));
    }
}

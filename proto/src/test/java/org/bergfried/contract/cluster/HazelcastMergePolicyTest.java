package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertSame;

import com.hazelcast.spi.merge.MergingValue;
import java.security.SecureRandom;
import org.bergfried.contract.seal.SealKeys;
import org.bergfried.contract.seal.Sealer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class HazelcastMergePolicyTest {
    private static final Sealer SEALER = new Sealer(SealKeys.generate(new SecureRandom(), "k1"), new SecureRandom());

    private final HazelcastMergePolicy policy = new HazelcastMergePolicy();

    @Test
    void theHigherVersionStays() {
        var epoch2 = new Value(SEALER.seal("placements", "m", 2, new byte[] {2}));
        var epoch3 = new Value(SEALER.seal("placements", "m", 3, new byte[] {3}));
        assertSame(epoch3.getRawValue(), policy.merge(epoch3, epoch2));
        assertSame(epoch3.getRawValue(), policy.merge(epoch2, epoch3));
    }

    @Test
    void theValueThatIsThereStaysAtEqualVersions() {
        var present = new Value(SEALER.seal("placements", "m", 2, new byte[] {1}));
        var arriving = new Value(SEALER.seal("placements", "m", 2, new byte[] {2}));
        assertSame(present.getRawValue(), policy.merge(arriving, present));
    }

    @Test
    void aMissingOrMalformedValueIsReplaced() {
        var arriving = new Value(SEALER.seal("placements", "m", 0, new byte[] {1}));
        assertSame(arriving.getRawValue(), policy.merge(arriving, null));
        assertSame(arriving.getRawValue(), policy.merge(arriving, new Value(new byte[] {9, 9})));
    }

    /// A value whose raw form is an object of its own, as in Hazelcast.
    private record Value(byte[] bytes, Object getRawValue) implements MergingValue<byte[]> {
        Value(byte[] bytes) {
            this(bytes, new Object());
        }

        @Override
        public byte @Nullable [] getDeserializedValue() {
            return bytes;
        }
    }
}

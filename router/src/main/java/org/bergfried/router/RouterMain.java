package org.bergfried.router;

import java.io.IOException;
import java.security.SecureRandom;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ProcessMain;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.HazelcastCluster;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.seal.SealKeys;
import org.bergfried.contract.seal.Sealer;

/// The router process: `RouterMain --config FILE [--parent-pipe]`; [ProcessMain] says how it ends.
public final class RouterMain {
    private RouterMain() {}

    /// Runs the process.
    public static void main(String[] args) {
        ProcessMain.run("RouterMain", "router-logback.xml", args, RouterMain::start);
    }

    private static void start(ProcessMain process) throws IOException {
        RouterConfig config = process.configuration(RouterConfig.class);
        Clock clock = new SystemClock();
        var random = new SecureRandom();
        var sealer = new Sealer(SealKeys.read(config.sealKeys()), random);
        var router = new Router(config, clock, random::nextLong);
        process.endWith(router, config.drainTimeout());
        router.join(HazelcastCluster.start(config.cluster(), MemberRole.ROUTER, sealer, clock));
    }
}

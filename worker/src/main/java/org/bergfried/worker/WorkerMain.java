package org.bergfried.worker;

import java.security.SecureRandom;
import java.util.concurrent.CompletableFuture;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ProcessMain;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.HazelcastCluster;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.seal.SealKeys;
import org.bergfried.contract.seal.Sealer;

/// The worker process: `WorkerMain --config FILE [--parent-pipe]`; [ProcessMain] says how it ends.
///
/// The JVM's options are listed in the resource `jvm.options`.
public final class WorkerMain {
    private WorkerMain() {}

    /// Runs the process.
    public static void main(String[] args) {
        ProcessMain.run("WorkerMain", "worker-logback.xml", args, WorkerMain::start);
    }

    private static void start(ProcessMain process) {
        WorkerConfig config = process.configuration(WorkerConfig.class);
        var clock = new SystemClock();
        var sealer = new Sealer(SealKeys.read(config.sealKeyFile()), new SecureRandom());
        var worker = new Worker(config, clock.wallMillis(), clock, new Exits(process));
        Thread.setDefaultUncaughtExceptionHandler((thread, bug) -> worker.broke(bug));
        process.endWith(worker, config.drain());
        var joined = new CompletableFuture<Cluster>();
        Thread.ofPlatform().daemon().name("join").start(() -> {
            try {
                joined.complete(HazelcastCluster.start(config.cluster(), MemberRole.WORKER, sealer, clock));
            } catch (Throwable failure) {
                joined.completeExceptionally(failure);
            }
        });
        worker.start(joined);
    }

    private record Exits(ProcessMain process) implements Worker.Fatal {
        @Override
        public void bug(Throwable bug) {
            process.bug(bug);
        }

        @Override
        public void replaced(ClusterException why) {
            process.replaced(why);
        }
    }
}

package org.bergfried.ops.verify;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.MemoryCluster;
import org.bergfried.router.Router;
import org.bergfried.router.RouterConfig;
import org.bergfried.worker.Worker;
import org.bergfried.worker.WorkerConfig;

/// A router and workers in this process, as one cluster over real connections.
final class LocalWorkers implements AutoCloseable {
    final SystemClock clock = new SystemClock();
    final MemoryCluster cluster = new MemoryCluster(clock, MemberRole.WORKER);
    private final Path folder;
    private final Deque<Runnable> closing = new ArrayDeque<>();

    /// @param folder where workers keep digests.
    LocalWorkers(Path folder) {
        this.folder = folder;
    }

    Worker startWorker(String id, Path model) {
        String yaml = "id: " + id + "\nmodel: {path: " + model
                + ", name: demo}\nthreads: 1\nkernels: {build: never}\ngrpc: {port: 0}\n"
                + "http: {port: 0}\ndataDirectory: " + folder.resolve(id) + "-data\n";
        var worker = new Worker(
                ConfigLoader.parse(WorkerConfig.class, "worker.yaml", yaml, Map.of()), 1, clock, new Surprised());
        closing.push(worker::close);
        worker.start(CompletableFuture.completedFuture(cluster.join(MemberRole.WORKER)));
        return worker;
    }

    /// Starts a router.
    ///
    /// @param more lines of its configuration.
    /// @return where its HTTP door is.
    String startRouter(int workers, String more) throws Exception {
        String yaml = "sealKeyFile: unused\nhttp: {port: 0}\ngrpc: {port: 0}\nplacement: {expectedWorkers: " + workers
                + "}\n" + more;
        var router = new Router(
                ConfigLoader.parse(RouterConfig.class, "router.yaml", yaml, Map.of()),
                clock,
                new AtomicLong()::incrementAndGet);
        closing.push(router::close);
        router.join(cluster.join(MemberRole.ROUTER));
        return "http://127.0.0.1:" + router.httpPort();
    }

    @Override
    public void close() {
        closing.forEach(Runnable::run);
        cluster.close();
    }
}

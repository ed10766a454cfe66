package org.bergfried.worker.expert;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;

/// Installs experts in the background, one after the other, in the order in which they were asked for. One that
/// cannot be installed does not keep the others from it.
final class ExpertInstaller implements AutoCloseable {
    private static final long CLOSE_SECONDS = 10;

    private final ExpertStore store;
    private final PlacementFacts facts;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("expert-install").factory());

    ExpertInstaller(ExpertStore store, PlacementFacts facts) {
        this.store = store;
        this.facts = facts;
    }

    Installation install(ExpertSet wanted, Repair repair, InstallListener listener) {
        List<Integer> cells = wanted.cells().stream().boxed().toList();
        var installation = new Installation(cells.size());
        if (cells.isEmpty()) {
            installation.finish();
            return installation;
        }
        try {
            thread.execute(() -> run(cells, installation, repair, listener));
        } catch (RejectedExecutionException e) {
            installation.fail(
                    new ClusterException(ErrorReason.DRAINING, "the worker shuts down and installs no experts", e));
            installation.finish();
        }
        return installation;
    }

    private void run(List<Integer> cells, Installation installation, Repair repair, InstallListener listener) {
        try {
            for (int cell : cells) {
                int layer = facts.moeLayers().get(cell / facts.expertsPerLayer());
                install(layer, cell % facts.expertsPerLayer(), installation, repair, listener);
            }
            installation.finish();
        } finally { // nobody waits for ever if there is a bug
            installation.done().completeExceptionally(new IllegalStateException("the installation broke off"));
        }
    }

    private void install(int layer, int expert, Installation installation, Repair repair, InstallListener listener) {
        try {
            if (installation.cancelled()) {
                throw new ClusterException(ErrorReason.CANCELLED, "the installation was cancelled before its turn");
            }
            listener.loading(layer, expert);
            store.installOne(layer, expert, repair);
            installation.advance();
            listener.installed(layer, expert);
        } catch (ClusterException why) {
            installation.fail(why);
            listener.failed(layer, expert, why);
        }
    }

    /// Ends a fetch that is under way; what waits fails because the store is closed.
    @Override
    public void close() {
        thread.shutdownNow().forEach(Runnable::run);
        try {
            if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("an expert is being loaded for more than " + CLOSE_SECONDS + " s");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

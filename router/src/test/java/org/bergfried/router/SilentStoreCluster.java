package org.bergfried.router;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.GenerationStore;
import org.bergfried.contract.cluster.PlacementBoard;
import org.bergfried.contract.cluster.RuleBoard;
import org.bergfried.contract.cluster.StoredGeneration;
import org.bergfried.contract.cluster.TokenIds;

/// A cluster whose store never acknowledges anything.
record SilentStoreCluster(Cluster cluster) implements Cluster {
    @Override
    public Directory directory() {
        return cluster.directory();
    }

    @Override
    public PlacementBoard placements() {
        return cluster.placements();
    }

    @Override
    public RuleBoard rules() {
        return cluster.rules();
    }

    @Override
    public GenerationStore generations() {
        return new SilentStore();
    }

    @Override
    public int livingRouters() {
        return cluster.livingRouters();
    }

    @Override
    public void close() {
        cluster.close();
    }

    private static final class SilentStore implements GenerationStore {
        @Override
        public CompletionStage<Void> put(GenerationRecord generation) {
            return new CompletableFuture<>();
        }

        @Override
        public void append(String generationId, int attempt, int fromPosition, TokenIds ids) {}

        @Override
        public void finish(String generationId, String reason) {}

        @Override
        public Optional<StoredGeneration> read(String generationId) {
            return Optional.empty();
        }
    }
}

package org.bergfried.contract.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// A cluster inside one JVM, for tests, the simulator and tools. Several members share one state through [#join];
/// closing a member is its death. Listeners are called on the thread that made the change, before its call
/// returns.
public final class MemoryCluster implements Cluster {
    private final SharedState shared;
    private final MemberRole role;
    private final MemoryDirectory directory;

    /// The first member of a new cluster.
    public MemoryCluster(Clock clock, MemberRole role) {
        this(new SharedState(clock), role);
    }

    private MemoryCluster(SharedState shared, MemberRole role) {
        this.shared = shared;
        this.role = role;
        this.directory = new MemoryDirectory(shared);
        shared.join(this);
    }

    /// A further member of this cluster.
    public MemoryCluster join(MemberRole newRole) {
        return new MemoryCluster(shared, newRole);
    }

    @Override
    public Directory directory() {
        return directory;
    }

    @Override
    public PlacementBoard placements() {
        return shared.board;
    }

    @Override
    public RuleBoard rules() {
        return shared.rules;
    }

    @Override
    public GenerationStore generations() {
        return shared.store;
    }

    @Override
    public int livingRouters() {
        return shared.count(MemberRole.ROUTER);
    }

    @Override
    public void close() {
        shared.leave(this);
        directory.close();
    }

    /// What the members of one cluster have in common.
    private static final class SharedState {
        final Listeners<Integer> workerListeners = new Listeners<>();
        final Map<String, Announced> workers = new HashMap<>();
        final MemoryBoard board = new MemoryBoard();
        final MemoryRules rules = new MemoryRules();
        final MemoryStore store;
        private final List<MemoryCluster> members = new ArrayList<>();

        SharedState(Clock clock) {
            store = new MemoryStore(clock);
        }

        synchronized void join(MemoryCluster member) {
            members.add(member);
        }

        synchronized void leave(MemoryCluster member) {
            members.remove(member);
        }

        synchronized int count(MemberRole role) {
            return (int) members.stream().filter(member -> member.role == role).count();
        }
    }

    private record Announced(WorkerAnnouncement worker, MemoryDirectory owner) {}

    private static final class MemoryDirectory implements Directory {
        private final SharedState shared;

        MemoryDirectory(SharedState shared) {
            this.shared = shared;
        }

        @Override
        public void announce(WorkerAnnouncement worker) {
            synchronized (shared) {
                Announced known = shared.workers.get(worker.id());
                if (known != null && known.worker.startNumber() > worker.startNumber()) {
                    throw WorkerReplaced.exception(worker, known.worker.startNumber());
                }
                shared.workers.put(worker.id(), new Announced(worker, this));
            }
            shared.workerListeners.call(1);
        }

        @Override
        public void withdraw(String workerId) {
            boolean removed;
            synchronized (shared) {
                Announced known = shared.workers.get(workerId);
                removed = known != null && known.owner == this && shared.workers.remove(workerId) != null;
            }
            if (removed) {
                shared.workerListeners.call(1);
            }
        }

        @Override
        public List<WorkerAnnouncement> workers() {
            synchronized (shared) {
                return shared.workers.values().stream()
                        .map(Announced::worker)
                        .sorted(Comparator.comparing(WorkerAnnouncement::id))
                        .toList();
            }
        }

        @Override
        public Registration onChange(Runnable listener) {
            return shared.workerListeners.add(ignored -> listener.run());
        }

        @Override
        public void close() {
            boolean removed;
            synchronized (shared) {
                removed = shared.workers.values().removeIf(known -> known.owner == this);
            }
            if (removed) {
                shared.workerListeners.call(1);
            }
        }
    }

    private static final class MemoryBoard implements PlacementBoard {
        private final Listeners<Placement> listeners = new Listeners<>();
        private final Map<String, Placement> placements = new HashMap<>();

        @Override
        public Optional<Placement> current(String modelDigest) {
            synchronized (placements) {
                return Optional.ofNullable(placements.get(modelDigest));
            }
        }

        @Override
        public boolean publish(Placement placement) {
            return publish(placement, placement::supersedes);
        }

        @Override
        public boolean publish(Placement placement, Optional<Placement> previous) {
            return publish(
                    placement,
                    known -> placement.supersedes(known)
                            && previous.map(known::isSamePlan).orElse(false));
        }

        private boolean publish(Placement placement, Predicate<Placement> replaces) {
            synchronized (placements) {
                Placement known = placements.get(placement.modelDigest());
                if (known != null && !replaces.test(known)) {
                    return placement.equals(known);
                }
                placements.put(placement.modelDigest(), placement);
            }
            listeners.call(placement);
            return true;
        }

        @Override
        public Registration onChange(Consumer<Placement> listener) {
            return listeners.add(listener);
        }
    }

    private static final class MemoryRules implements RuleBoard {
        private final Listeners<PlacementRules> listeners = new Listeners<>();
        private final Map<String, PlacementRules> rules = new HashMap<>();

        @Override
        public PlacementRules current(String modelDigest) {
            synchronized (rules) {
                return rules.getOrDefault(modelDigest, PlacementRules.none(modelDigest));
            }
        }

        @Override
        public PlacementRules change(String modelDigest, UnaryOperator<PlacementRules> change) {
            PlacementRules next;
            synchronized (rules) {
                PlacementRules known = current(modelDigest);
                next = change.apply(known).next(known.version() + 1);
                rules.put(modelDigest, next);
            }
            listeners.call(next);
            return next;
        }

        @Override
        public Registration onChange(Consumer<PlacementRules> listener) {
            return listeners.add(listener);
        }
    }

    private static final class MemoryStore implements GenerationStore {
        private final Clock clock;
        private final Map<String, Entry> entries = new HashMap<>();

        MemoryStore(Clock clock) {
            this.clock = clock;
        }

        /// A stored generation and when it is forgotten.
        private record Entry(StoredGeneration stored, Expiry expiry) {}

        @Override
        public CompletionStage<Void> put(GenerationRecord generation) {
            synchronized (entries) {
                removeExpired();
                var stored = new StoredGeneration(generation, 0, TokenIds.empty(), Optional.empty());
                if (entries.putIfAbsent(
                                generation.generationId(), new Entry(stored, Expiry.afterStart(clock.nanoTime())))
                        != null) {
                    return CompletableFuture.failedStage(new ClusterException(
                            ErrorReason.INTERNAL, "generation " + generation.generationId() + " is stored already"));
                }
            }
            return CompletableFuture.completedStage(null);
        }

        @Override
        public void append(String generationId, int attempt, int fromPosition, TokenIds ids) {
            synchronized (entries) {
                entries.computeIfPresent(
                        generationId,
                        (id, entry) -> new Entry(entry.stored.appended(attempt, fromPosition, ids), entry.expiry));
            }
        }

        @Override
        public void finish(String generationId, String reason) {
            synchronized (entries) {
                entries.computeIfPresent(
                        generationId,
                        (id, entry) ->
                                new Entry(entry.stored.finished(reason), entry.expiry.afterEnd(clock.nanoTime())));
            }
        }

        @Override
        public Optional<StoredGeneration> read(String generationId) {
            synchronized (entries) {
                removeExpired();
                return Optional.ofNullable(entries.get(generationId)).map(Entry::stored);
            }
        }

        private void removeExpired() {
            long now = clock.nanoTime();
            entries.values().removeIf(entry -> entry.expiry.isOver(now));
        }
    }
}

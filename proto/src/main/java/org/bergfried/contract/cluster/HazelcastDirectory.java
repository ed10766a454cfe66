package org.bergfried.contract.cluster;

import com.hazelcast.cluster.MembershipAdapter;
import com.hazelcast.cluster.MembershipEvent;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceNotActiveException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The directory over a shared map. A worker is written again three times in a lease; each member measures the
/// lease by its own clock from the last time that it saw a writing, so clocks are never compared. A worker whose
/// member has left is dropped at once.
final class HazelcastDirectory implements Directory {
    private static final Logger LOG = LoggerFactory.getLogger(HazelcastDirectory.class);

    private final HazelcastInstance instance;
    private final HazelcastSealedMap map;
    private final Clock clock;
    private final Duration lease;
    private final Listeners<Integer> listeners = new Listeners<>();
    private final Map<String, WorkerAnnouncement> own = new HashMap<>(); // guarded by itself
    private final Map<String, Seen> view = new ConcurrentHashMap<>();
    private final ScheduledExecutorService renewing = thread("cluster-lease");
    private final ScheduledExecutorService watching = thread("cluster-watch");
    private List<WorkerAnnouncement> lastSeen = List.of(); // guarded by this

    HazelcastDirectory(HazelcastInstance instance, HazelcastSealedMap map, Clock clock, Duration lease) {
        this.instance = instance;
        this.map = map;
        this.clock = clock;
        this.lease = lease;
        map.follow(value -> see(value.key(), value.plain()), this::forget);
        instance.getCluster().addMembershipListener(new MembershipAdapter() {
            @Override
            public void memberRemoved(MembershipEvent event) {
                notifyIfChanged();
            }
        });
        instance.getLifecycleService().addLifecycleListener(event -> {
            if (event.getState() == com.hazelcast.core.LifecycleEvent.LifecycleState.MERGED) {
                renewing.execute(guarded(this::renewAll)); // the member has a new id now
            }
        });
        long period = lease.toMillis() / 3;
        var _ = renewing.scheduleWithFixedDelay(guarded(this::renewAll), period, period, TimeUnit.MILLISECONDS);
        var _ = watching.scheduleWithFixedDelay(guarded(this::notifyIfChanged), period, period, TimeUnit.MILLISECONDS);
    }

    /// A worker as it was seen last.
    private record Seen(WorkerAnnouncement worker, UUID memberId, long nanos) {}

    @Override
    public void announce(WorkerAnnouncement worker) {
        synchronized (own) {
            write(worker);
            own.put(worker.id(), worker);
        }
    }

    @Override
    public void withdraw(String workerId) {
        synchronized (own) {
            if (own.remove(workerId) == null) {
                return;
            }
            map.remove(workerId);
        }
        forget(workerId);
    }

    @Override
    public List<WorkerAnnouncement> workers() {
        Set<UUID> members = memberIds();
        long now = clock.nanoTime();
        return view.values().stream()
                .filter(seen -> members.contains(seen.memberId) && now - seen.nanos < lease.toNanos())
                .map(Seen::worker)
                .sorted(Comparator.comparing(WorkerAnnouncement::id))
                .toList();
    }

    @Override
    public Registration onChange(Runnable listener) {
        return listeners.add(ignored -> listener.run());
    }

    @Override
    public void close() {
        stop();
        for (String workerId : ownIds()) {
            try {
                withdraw(workerId);
            } catch (ClusterException unreachable) {
                LOG.info("Worker {} leaves the directory by its lease: {}", workerId, unreachable.text());
            }
        }
    }

    private Set<String> ownIds() {
        synchronized (own) {
            return Set.copyOf(own.keySet());
        }
    }

    /// Stops renewing and watching.
    void stop() {
        renewing.shutdownNow();
        watching.shutdownNow();
    }

    private void renewAll() {
        synchronized (own) { // a withdrawn worker is not written again
            own.forEach((workerId, worker) -> {
                try {
                    write(worker);
                } catch (ClusterException refused) {
                    LOG.warn("Cannot renew the lease of worker {}: {}", workerId, refused.text());
                }
            });
        }
    }

    private void write(WorkerAnnouncement worker) {
        map.get(worker.id()).ifPresent(stored -> {
            long known = HazelcastLease.decode(stored.plain()).worker().startNumber();
            if (known > worker.startNumber()) {
                throw WorkerReplaced.exception(worker, known);
            }
        });
        var written = new HazelcastLease(memberId(), worker);
        map.set(worker.id(), worker.startNumber(), written.encode(), lease);
        see(worker.id(), written.encode());
    }

    private Set<UUID> memberIds() {
        try {
            return instance.getCluster().getMembers().stream()
                    .map(member -> member.getUuid())
                    .collect(Collectors.toSet());
        } catch (HazelcastInstanceNotActiveException closed) {
            return Set.of(); // a member that has left knows of nobody
        }
    }

    /// A scheduled task that fails once must not be the last one.
    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (HazelcastInstanceNotActiveException closed) {
                LOG.debug("The member has left while a task was running", closed);
            } catch (RuntimeException failed) {
                LOG.error("A task of the directory failed; it is tried again", failed);
            }
        };
    }

    private UUID memberId() {
        return instance.getCluster().getLocalMember().getUuid();
    }

    private void see(String workerId, byte[] plain) {
        HazelcastLease written = HazelcastLease.decode(plain);
        view.merge(workerId, new Seen(written.worker(), written.memberId(), clock.nanoTime()), (known, arriving) -> {
            boolean older = arriving.worker.startNumber() < known.worker.startNumber();
            return older ? known : arriving;
        });
        notifyIfChanged();
    }

    private void forget(String workerId) {
        view.remove(workerId);
        notifyIfChanged();
    }

    private void notifyIfChanged() {
        synchronized (this) {
            List<WorkerAnnouncement> now = workers();
            if (now.equals(lastSeen)) {
                return;
            }
            lastSeen = now;
        }
        listeners.call(1);
    }

    private static ScheduledExecutorService thread(String name) {
        return Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name(name).factory());
    }
}

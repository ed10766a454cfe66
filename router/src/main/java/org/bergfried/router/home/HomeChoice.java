package org.bergfried.router.home;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;

/// Chooses homes: a pure function of the workers, the session's key and the loads.
public final class HomeChoice {
    /// A home may be this much busier than the mean before a session leaves it: a prompt in the cache is worth
    /// about one more neighbour in the batch.
    private static final double BUSIER_MAX = 1.25;

    private HomeChoice() {}

    /// The home of a session: rendezvous hashing puts the workers into an order that only the session's key and
    /// the workers' ids determine, and the first whose load is not far above the mean is taken. So a session stays
    /// where its pages are, a lost worker moves only its own sessions, and no worker is flooded.
    ///
    /// @param candidates workers that may be taken.
    /// @param load attempts at a worker.
    public static Optional<WorkerAnnouncement> choose(
            List<WorkerAnnouncement> candidates, long affinityKey, ToIntFunction<String> load) {
        if (candidates.isEmpty()) {
            return Optional.empty();
        }
        double mean = candidates.stream()
                .mapToInt(worker -> load.applyAsInt(worker.id()))
                .average()
                .orElse(0);
        double loadMax = mean * BUSIER_MAX + 1;
        return candidates.stream()
                .sorted(Comparator.comparingLong((WorkerAnnouncement worker) -> score(affinityKey, worker.id()))
                        .thenComparing(WorkerAnnouncement::id))
                .filter(worker -> load.applyAsInt(worker.id()) <= loadMax)
                .findFirst();
    }

    /// The workers that can be the home of a generation of this model and arithmetic.
    public static List<WorkerAnnouncement> candidates(
            List<WorkerAnnouncement> workers, String modelDigest, String numericsId) {
        return workers.stream()
                .filter(worker -> worker.serves(Role.TRUNK)
                        && worker.modelDigest().equals(modelDigest)
                        && worker.numericsId().equals(numericsId))
                .toList();
    }

    /// The key of a session: equal texts of the same tenant give the same key.
    public static long affinityKey(String tenant, String firstUserMessage) {
        return mix(hash(tenant) * 31 + hash(firstUserMessage));
    }

    private static long score(long affinityKey, String workerId) {
        return mix(affinityKey ^ mix(hash(workerId)));
    }

    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L; // FNV-1a over UTF-16 units: stable over processes, unlike identity hashes
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }

    /// The finaliser of SplitMix64.
    private static long mix(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}

package org.bergfried.router.client;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.router.chat.ChatModel;
import org.bergfried.router.chat.ModelCard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The models of the cluster: their cards are fetched from workers as soon as one is ready, and kept by digest and
/// arithmetic, also while no worker is ready.
public final class ModelCatalog {
    private static final Logger LOG = LoggerFactory.getLogger(ModelCatalog.class);
    private static final int KNOWN_MAX = 64;

    /// What a model is known by.
    private record Key(String digest, String numericsId) {}

    /// A model whose card is here.
    ///
    /// @param chat the model.
    /// @param sinceMillis when the card came, in milliseconds since 1970.
    public record Known(ChatModel chat, long sinceMillis) {
        /// Its card.
        public ModelCard card() {
            return chat.card();
        }
    }

    private final EngineProbe probe;
    private final Clock clock;
    private final Map<Key, Known> known = new HashMap<>(); // guarded by this
    private final Set<Key> fetching = new HashSet<>(); // guarded by this
    private Set<Key> ready = Set.of(); // guarded by this

    /// A catalog of cards that the probe fetches.
    public ModelCatalog(EngineProbe probe, Clock clock) {
        this.probe = probe;
        this.clock = clock;
    }

    /// Takes note of the living workers and fetches the cards that are missing, in the background.
    ///
    /// @param fetched is called after each card that came.
    public synchronized void update(List<WorkerAnnouncement> workers, Runnable fetched) {
        var keys = new LinkedHashSet<Key>();
        for (WorkerAnnouncement worker : workers) {
            var key = new Key(worker.modelDigest(), worker.numericsId());
            if (!worker.serves(Role.TRUNK)) {
                continue;
            }
            keys.add(key);
            if (!known.containsKey(key) && fetching.add(key)) {
                Thread.ofVirtual().name("model-card-" + worker.id()).start(() -> fetch(key, worker, fetched));
            }
        }
        ready = keys;
    }

    /// The models that have a ready worker now, sorted by name.
    public synchronized List<Known> ready() {
        return known.entrySet().stream()
                .filter(entry -> ready.contains(entry.getKey()))
                .map(Map.Entry::getValue)
                .sorted(Comparator.comparing((Known model) -> model.card().name())
                        .thenComparing(model -> model.card().digest()))
                .toList();
    }

    /// All models whose card is here, the newest last.
    public synchronized List<Known> known() {
        var models = new ArrayList<>(known.values());
        models.sort(Comparator.comparingLong(Known::sinceMillis));
        return models;
    }

    /// The model that a generation is pinned to.
    public synchronized Optional<Known> find(String digest, String numericsId) {
        return Optional.ofNullable(known.get(new Key(digest, numericsId)));
    }

    private void fetch(Key key, WorkerAnnouncement worker, Runnable fetched) {
        try {
            var chat = ChatModel.of(card(probe.card(worker)), clock);
            keep(key, new Known(chat, clock.wallMillis()));
            LOG.info("Serving {} ({}, {})", chat.card().name(), key.digest(), key.numericsId());
            fetched.run();
        } catch (ClusterException unavailable) {
            LOG.warn("No model card from worker {}, trying again: {}", worker.id(), unavailable.text());
        } finally {
            synchronized (this) {
                fetching.remove(key);
            }
        }
    }

    private synchronized void keep(Key key, Known model) {
        if (known.size() >= KNOWN_MAX) {
            known.keySet().removeIf(old -> !ready.contains(old));
        }
        known.put(key, model);
    }

    private static ModelCard card(org.bergfried.proto.engine.v1.ModelCard wire) {
        return new ModelCard(
                wire.getName(),
                wire.getDigest(),
                wire.getNumericsId(),
                wire.getTokenizerJson().toByteArray(),
                wire.getChatTemplate(),
                wire.getTokenVariablesMap(),
                wire.getStopIdsList().stream().mapToInt(Integer::intValue).toArray(),
                wire.getContextLength(),
                wire.getVocabularySize());
    }
}

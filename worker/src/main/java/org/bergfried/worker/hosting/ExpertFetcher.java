package org.bergfried.worker.hosting;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.expert.ExpertCopies;
import org.bergfried.worker.expert.InstallListener;
import org.bergfried.worker.expert.Repair;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.tensor.StoredPart;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings an expert's weights from another worker where the own files are corrupt. They go to a file that has no name
/// any more as soon as it is open, so that it vanishes with its last use, and are mapped from there like a model's
/// file; nothing of them is used before their digests are compared.
final class ExpertFetcher {
    private static final Logger LOG = LoggerFactory.getLogger(ExpertFetcher.class);

    private final String selfId;
    private final Model model;
    private final WeightPeers peers;
    private final Path directory;

    /// Who may have an expert.
    @FunctionalInterface
    interface Sources {
        /// Worker ids, to be asked in order.
        List<String> of(int layer, int expert);
    }

    /// @param directory for the files; made if it is not there.
    ExpertFetcher(String selfId, Model model, WeightPeers peers, Path directory) {
        this.selfId = selfId;
        this.model = model;
        this.peers = peers;
        this.directory = directory;
    }

    /// A repair that asks some workers.
    ///
    /// @param listener hears whom.
    Repair from(Sources sources, InstallListener listener) {
        return (layer, expert, corrupt) -> {
            var failures = new ArrayList<String>();
            for (String source : sources.of(layer, expert)) {
                if (!source.equals(selfId)) {
                    listener.fetching(layer, expert, source);
                    try {
                        return fetch(source, layer, expert, corrupt);
                    } catch (ClusterException refused) {
                        failures.add("worker " + source + ": " + refused.text());
                    }
                }
            }
            String others = failures.isEmpty() ? "no other worker was named that has it" : String.join("; ", failures);
            throw new ClusterException(ErrorReason.WEIGHTS_CORRUPT, corrupt.text() + "; " + others, corrupt);
        };
    }

    private ExpertCopies fetch(String source, int layer, int expert, ClusterException corrupt) {
        Arena memory = Arena.ofShared();
        try {
            List<StoredPart> copies = receive(source, layer, expert, memory);
            for (StoredPart copy : copies) {
                if (!model.intact(copy)) {
                    throw new ClusterException(
                            ErrorReason.WEIGHTS_CORRUPT,
                            "the bytes that it sent of tensor " + copy.name() + " differ from the digest");
                }
            }
            LOG.warn("{}; fetched and verified it from worker {}", corrupt.text(), source);
            return new ExpertCopies(copies, memory);
        } catch (RuntimeException failure) {
            memory.close();
            throw failure;
        }
    }

    private List<StoredPart> receive(String source, int layer, int expert, Arena memory) {
        try {
            Files.createDirectories(directory);
            Path path = directory.resolve("expert-" + layer + "-" + expert);
            try (FileChannel file = FileChannel.open(
                    path,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE)) {
                Files.delete(path);
                var spool = new ExpertSpool(file, model.storedExpert(layer, expert));
                peers.fetch(source, layer, expert, spool);
                return spool.tensors(memory);
            }
        } catch (IOException | UncheckedIOException full) {
            throw new ClusterException(
                    ErrorReason.INTERNAL, "what it sent could not be written to " + directory + ": " + full, full);
        }
    }
}

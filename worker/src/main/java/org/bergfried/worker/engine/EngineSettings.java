package org.bergfried.worker.engine;

import java.time.Duration;
import java.util.OptionalLong;
import org.bergfried.worker.kernel.choice.BackendChoice;

/// How an engine is made. Sizes that are 0 or empty are chosen from the model and the memory.
///
/// @param workerId       of the worker that it belongs to.
/// @param startNumber    which start of that worker.
/// @param servedName     of the model.
/// @param backends       what computes.
/// @param runsTrunk      whether it runs sequences.
/// @param hostsExperts   whether it hosts routed experts.
/// @param context        most positions of a sequence; 0 for the model's own.
/// @param cacheBytes     of the KV cache; empty for `cachePositions`.
/// @param cachePositions of all sequences together; 0 for 8 sequences of the context, in at most a quarter of the
///     memory.
/// @param rowsMax        rows of a step.
/// @param logitsMax      rows of a step that may get logits; `sequencesMax` serves.
/// @param prefillChunk   rows of one prompt in a step.
/// @param sequencesMax   sequences in the batch.
/// @param queueMax       sequences that wait.
/// @param stalledMax     how long a client may read nothing.
/// @param hotBytes       for installed experts; empty for room for all of the model's.
/// @param coldBytes      for experts that are loaded on use; empty for 64 MiB or the largest expert.
/// @param peersMax       other workers that rows are exchanged with.
public record EngineSettings(
        String workerId,
        long startNumber,
        String servedName,
        BackendChoice backends,
        boolean runsTrunk,
        boolean hostsExperts,
        int context,
        OptionalLong cacheBytes,
        int cachePositions,
        int rowsMax,
        int logitsMax,
        int prefillChunk,
        int sequencesMax,
        int queueMax,
        Duration stalledMax,
        OptionalLong hotBytes,
        OptionalLong coldBytes,
        int peersMax) {}

package org.bergfried.worker.trunk;

import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.tensor.Buffer;

/// What all parts of a trunk share.
///
/// @param backend   computes.
/// @param spec      the model's facts.
/// @param matrices  loads weights.
/// @param memory    scratch memory; every part rewrites what it uses.
/// @param step      the rows of the step in hand.
/// @param cache     keys and values.
/// @param ropeTable float32 `[positionsMax, rotaryColumns / 2, 2]`.
record TrunkCore(
        Backend backend,
        ModelSpec spec,
        TrunkMatrices matrices,
        TrunkMemory memory,
        StepRows step,
        KvCache cache,
        Buffer ropeTable) {}

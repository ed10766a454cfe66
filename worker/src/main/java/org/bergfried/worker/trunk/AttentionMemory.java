package org.bergfried.worker.trunk;

/// Scratch memory of the attention, as the model's kind of attention needs it.
sealed interface AttentionMemory permits GroupedAttention.Memory, LatentAttention.Memory {}

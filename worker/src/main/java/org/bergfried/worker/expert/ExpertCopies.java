package org.bergfried.worker.expert;

import java.lang.foreign.Arena;
import java.util.List;
import org.bergfried.worker.tensor.StoredPart;

/// Verified copies of what the model's files hold of an expert.
///
/// @param tensors as `Model.storedExpert` lists them.
/// @param memory  owns their bytes; closed when nothing uses the expert any more.
public record ExpertCopies(List<StoredPart> tensors, Arena memory) implements AutoCloseable {
    /// Copies the list.
    public ExpertCopies {
        tensors = List.copyOf(tensors);
    }

    @Override
    public void close() {
        memory.close();
    }
}

package org.bergfried.worker.hosting;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.tensor.StoredPart;

/// Writes the pieces of an expert's tensors to a file, in order and without gaps, so that a fetch takes no memory but
/// that of one piece.
final class ExpertSpool implements WeightPeers.PieceSink {
    private static final int ALIGNMENT = 64;

    private final FileChannel file;
    private final List<StoredPart> wanted;
    private final long[] starts; // [wanted + 1], where each tensor lies in the file; then the end
    private int current; // the tensor that is being received
    private long received; // bytes of it

    ExpertSpool(FileChannel file, List<StoredPart> wanted) {
        this.file = file;
        this.wanted = wanted;
        starts = new long[wanted.size() + 1];
        for (int i = 0; i < wanted.size(); i++) {
            long end = starts[i] + wanted.get(i).bytes().byteSize();
            starts[i + 1] = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
    }

    @Override
    public void piece(String tensor, long offset, ByteBuffer piece) {
        int count = piece.remaining();
        boolean isNext = current < wanted.size()
                && tensor.equals(wanted.get(current).name())
                && offset == received
                && count > 0
                && count <= wanted.get(current).bytes().byteSize() - received;
        if (!isNext) {
            throw refusal(count + " bytes at " + offset + " of tensor " + tensor + " came, which are not next");
        }
        try {
            while (piece.hasRemaining()) {
                file.write(piece, starts[current] + offset + count - piece.remaining());
            }
        } catch (IOException full) {
            throw new UncheckedIOException(full);
        }
        received += count;
        if (received == wanted.get(current).bytes().byteSize()) {
            current++;
            received = 0;
        }
    }

    /// The tensors, mapped from the file.
    ///
    /// @param memory owns the mapping.
    List<StoredPart> tensors(Arena memory) throws IOException {
        if (current < wanted.size()) {
            throw refusal("it ended at byte " + received + " of tensor "
                    + wanted.get(current).name());
        }
        long bytes = Math.max(file.size(), starts[wanted.size()]);
        if (file.size() < bytes) {
            file.write(ByteBuffer.allocate(1), bytes - 1); // the last tensor's padding
        }
        MemorySegment mapped = file.map(FileChannel.MapMode.READ_ONLY, 0, bytes, memory);
        var copies = new ArrayList<StoredPart>();
        for (int i = 0; i < wanted.size(); i++) {
            StoredPart tensor = wanted.get(i);
            MemorySegment part = mapped.asSlice(starts[i], tensor.bytes().byteSize());
            copies.add(tensor.copiedTo(part));
        }
        return copies;
    }

    private static ClusterException refusal(String what) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, "the stream of weights is malformed: " + what);
    }
}

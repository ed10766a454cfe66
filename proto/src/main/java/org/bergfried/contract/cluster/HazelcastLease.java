package org.bergfried.contract.cluster;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// What stands in the map of workers: the announcement after the id of the member that renews it.
record HazelcastLease(UUID memberId, WorkerAnnouncement worker) {
    private static final int ID_BYTES = 16;

    byte[] encode() {
        byte[] announcement = RecordCodec.encode(worker);
        return ByteBuffer.allocate(ID_BYTES + announcement.length)
                .putLong(memberId.getMostSignificantBits())
                .putLong(memberId.getLeastSignificantBits())
                .put(announcement)
                .array();
    }

    static HazelcastLease decode(byte[] bytes) {
        if (bytes.length < ID_BYTES) {
            throw new ClusterException(
                    ErrorReason.INTERNAL, "worker announcement is cut: it has " + bytes.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        var memberId = new UUID(buffer.getLong(), buffer.getLong());
        return new HazelcastLease(
                memberId, RecordCodec.decodeWorker(Arrays.copyOfRange(bytes, ID_BYTES, bytes.length)));
    }
}

package org.bergfried.contract.cluster;

import com.hazelcast.nio.ObjectDataInput;
import com.hazelcast.nio.ObjectDataOutput;
import com.hazelcast.spi.merge.MergingValue;
import com.hazelcast.spi.merge.SplitBrainMergePolicy;
import org.bergfried.contract.seal.Sealer;
import org.jspecify.annotations.Nullable;

/// After two parts of a cluster have found each other: of two values of a key, the one with the higher version
/// stays. The version is the epoch of a placement, the version of rules, the length of a log segment, the start number
/// of a worker. It
/// is compared without opening the seal; a forged one does no more harm than deleting the entry, which any member
/// can do.
public final class HazelcastMergePolicy implements SplitBrainMergePolicy<byte[], MergingValue<byte[]>, Object> {
    /// Called by Hazelcast.
    public HazelcastMergePolicy() {}

    @Override
    public @Nullable Object merge(MergingValue<byte[]> merging, @Nullable MergingValue<byte[]> existing) {
        byte[] present = existing == null ? null : existing.getDeserializedValue();
        byte[] arriving = merging.getDeserializedValue();
        boolean keepsPresent = present != null && Sealer.versionOf(present) >= Sealer.versionOf(arriving);
        return keepsPresent && existing != null ? existing.getRawValue() : merging.getRawValue();
    }

    @Override
    public void writeData(ObjectDataOutput out) {
        // Stateless: there is nothing to write.
    }

    @Override
    public void readData(ObjectDataInput in) {
        // Stateless: there is nothing to read.
    }
}

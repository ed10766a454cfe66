package org.bergfried.worker.engine;

import java.util.List;
import java.util.stream.Stream;
import org.bergfried.worker.kernel.WeightSize;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.cuda.CudaBackend;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.tensor.StoredTensor;

/// How much private memory the trunk's weights take once they are loaded.
final class TrunkWeights {
    private TrunkWeights() {}

    /// Bytes of the memory in which they are; on a device floats are copied too.
    static long residentBytes(TrunkTensors tensors, boolean tiedHead, DeviceMemory device) {
        WeightSize sizes = device.trunk() ? CudaBackend.WEIGHTS : TrunkWeights::residentBytes;
        return all(tensors, tiedHead).mapToLong(sizes::residentBytes).sum();
    }

    /// Bytes that are read to load them.
    static long bytes(TrunkTensors tensors, boolean tiedHead) {
        return all(tensors, tiedHead)
                .mapToLong(tensor -> tensor.bytes().byteSize())
                .sum();
    }

    /// Bytes of those that stay on the host beside a device.
    static long withoutKernels(TrunkTensors tensors, boolean tiedHead) {
        return all(tensors, tiedHead)
                .filter(tensor -> !CudaBackend.supports(tensor.type()))
                .mapToLong(TrunkWeights::residentBytes)
                .sum();
    }

    private static Stream<StoredTensor> all(TrunkTensors tensors, boolean tiedHead) {
        Stream<StoredTensor> ends =
                tiedHead ? Stream.of(tensors.embedding()) : Stream.of(tensors.embedding(), tensors.head());
        Stream<StoredTensor> layers = tensors.layers().stream()
                .flatMap(layer -> Stream.concat(attention(layer.attention()), feedForward(layer.feedForward())));
        return Stream.concat(ends, layers);
    }

    private static Stream<StoredTensor> attention(TrunkTensors.Attention attention) {
        return switch (attention) {
            case TrunkTensors.Grouped grouped ->
                Stream.of(grouped.query(), grouped.key(), grouped.value(), grouped.output());
            case TrunkTensors.Latent latent ->
                Stream.of(
                                Stream.ofNullable(latent.queryDown()),
                                Stream.of(latent.queryUp(), latent.kvDown(), latent.output()),
                                latent.keyUp().stream(),
                                latent.valueUp().stream())
                        .flatMap(part -> part);
        };
    }

    private static Stream<StoredTensor> feedForward(TrunkTensors.FeedForward feedForward) {
        return switch (feedForward) {
            case TrunkTensors.SwiGlu dense -> swiGlu(dense);
            case TrunkTensors.Moe moe -> {
                TrunkTensors.SwiGlu shared = moe.shared();
                yield shared == null ? Stream.of(moe.gate()) : Stream.concat(Stream.of(moe.gate()), swiGlu(shared));
            }
        };
    }

    private static Stream<StoredTensor> swiGlu(TrunkTensors.SwiGlu matrices) {
        return List.of(matrices.gateProj(), matrices.upProj(), matrices.downProj()).stream();
    }

    private static long residentBytes(StoredTensor tensor) {
        long loaded = CpuBackend.WEIGHTS.residentBytes(tensor);
        boolean isOwnCopy = loaded == 0 && !tensor.bytes().isMapped(); // that the model made
        return isOwnCopy ? tensor.bytes().byteSize() : loaded;
    }
}

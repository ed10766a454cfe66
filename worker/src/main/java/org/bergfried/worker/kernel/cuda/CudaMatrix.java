package org.bergfried.worker.kernel.cuda;

import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.tensor.ElementType;

/// Weights of a [CudaBackend].
sealed interface CudaMatrix extends Matrix {
    /// The tensor's name, for messages.
    String name();

    /// Whether its memory was given back.
    boolean closed();

    /// On the device: rows of a float type, tiles of an integer-coded one.
    final class OnDevice implements CudaMatrix {
        private final CudaDevice device;
        private final String name;
        private final ElementType type;
        private final int rows;
        private final int columns;
        private final DevicePool.Block block;
        private final AtomicBoolean closed = new AtomicBoolean();

        OnDevice(CudaDevice device, String name, ElementType type, int rows, int columns, DevicePool.Block block) {
            this.device = device;
            this.name = name;
            this.type = type;
            this.rows = rows;
            this.columns = columns;
            this.block = block;
        }

        long address() {
            return block.address();
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public ElementType type() {
            return type;
        }

        @Override
        public int rows() {
            return rows;
        }

        @Override
        public int columns() {
            return columns;
        }

        @Override
        public long residentBytes() {
            return block.bytes();
        }

        @Override
        public boolean closed() {
            return closed.get();
        }

        @Override
        public void close() {
            if (!closed.getAndSet(true)) {
                device.release(block);
            }
        }
    }

    /// On the host, because the device has no kernel for its type.
    ///
    /// @param name    the tensor's.
    /// @param weights of a CPU backend.
    record OnHost(String name, HostMatrix weights) implements CudaMatrix {
        @Override
        public boolean closed() {
            return weights.closed();
        }

        @Override
        public ElementType type() {
            return weights.type();
        }

        @Override
        public int rows() {
            return weights.rows();
        }

        @Override
        public int columns() {
            return weights.columns();
        }

        @Override
        public long residentBytes() {
            return weights.residentBytes();
        }

        @Override
        public void close() {
            weights.close();
        }
    }
}

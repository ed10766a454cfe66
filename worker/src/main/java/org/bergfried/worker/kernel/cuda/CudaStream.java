package org.bergfried.worker.kernel.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/// Operations of a device in the order in which they are queued, with pinned memory of the host through which all
/// copies go: two halves for writes, of which one is filled while the device reads the other, and one for reads. One
/// thread uses it at a time, after [CudaDevice#use()].
final class CudaStream implements AutoCloseable {
    private static final int ALIGNMENT = 64; // of the pieces of a half

    private final CudaDevice device;
    private final CUstream stream = new CUstream();
    private final Pointer pinned = new Pointer();
    private final MemorySegment memory; // both halves, then the part for reads
    private final int half; // bytes
    private final CUevent[] emptied = {new CUevent(), new CUevent()}; // the copies out of each half
    private final Arena arena = Arena.ofShared();
    private final Map<String, Kernel> kernels = new HashMap<>();
    private int filling; // which half
    private int filled; // bytes of it

    /// @param half bytes of each of the three parts of its pinned memory.
    CudaStream(CudaDevice device, int half) {
        this.device = device;
        this.half = half;
        device.use();
        Cuda.check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "making a stream");
        Cuda.check(
                JCudaDriver.cuMemHostAlloc(pinned, pinnedBytes(half), 0),
                "pinning " + pinnedBytes(half) + " bytes of memory of the host");
        memory = MemorySegment.ofBuffer(pinned.getByteBuffer(0, pinnedBytes(half)));
        for (CUevent event : emptied) {
            Cuda.check(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING), "making an event");
        }
    }

    /// Bytes of the host that a stream pins.
    static long pinnedBytes(int half) {
        return 3L * half;
    }

    /// The kernel of a name; its arguments follow.
    Kernel kernel(String name) {
        return kernels.computeIfAbsent(name, known -> new Kernel(device.entry(known), stream, arena));
    }

    /// Queues a copy of host bytes, which may be changed as soon as this returns.
    void write(MemorySegment source, long target) {
        long bytes = source.byteSize();
        for (long done = 0; done < bytes; ) {
            if (filled == half) {
                turn();
            }
            long part = Math.min(bytes - done, half - filled);
            MemorySegment place = memory.asSlice((long) filling * half + filled, part);
            place.copyFrom(source.asSlice(done, part));
            Cuda.check(
                    JCudaDriver.cuMemcpyHtoDAsync(
                            DevicePointer.at(target + done), DevicePointer.host(place), part, stream),
                    "copying to the device");
            filled = (int) Math.min(half, (filled + part + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
            done += part;
        }
    }

    /// Fills the other half from now on, when the device has read it.
    private void turn() {
        Cuda.check(JCudaDriver.cuEventRecord(emptied[filling], stream), "recording an event");
        filling = 1 - filling;
        filled = 0;
        Cuda.check(JCudaDriver.cuEventSynchronize(emptied[filling]), "waiting for copies to the device");
    }

    /// Waits for everything queued, then copies from the device.
    void read(long source, MemorySegment target) {
        long bytes = target.byteSize();
        for (long done = 0; done < bytes; ) {
            long part = Math.min(bytes - done, half);
            MemorySegment place = memory.asSlice(2L * half, part);
            Cuda.check(
                    JCudaDriver.cuMemcpyDtoHAsync(
                            DevicePointer.host(place), DevicePointer.at(source + done), part, stream),
                    "copying from the device");
            await();
            target.asSlice(done, part).copyFrom(place);
            done += part;
        }
        if (bytes == 0) {
            await();
        }
    }

    /// Queues zeros.
    void clear(long target, long bytes) {
        if (bytes > 0) {
            Cuda.check(
                    JCudaDriver.cuMemsetD8Async(DevicePointer.at(target), (byte) 0, bytes, stream),
                    "clearing device memory");
        }
    }

    /// Waits until everything queued is done.
    void await() {
        Cuda.check(
                JCudaDriver.cuStreamSynchronize(stream),
                "computing on " + device.description().name());
    }

    @Override
    public void close() {
        device.use();
        JCudaDriver.cuStreamSynchronize(stream);
        for (CUevent event : emptied) {
            JCudaDriver.cuEventDestroy(event);
        }
        JCudaDriver.cuStreamDestroy(stream);
        JCudaDriver.cuMemFreeHost(pinned);
        arena.close();
    }
}

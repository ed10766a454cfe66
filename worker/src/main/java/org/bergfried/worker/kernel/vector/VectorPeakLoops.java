package org.bergfried.worker.kernel.vector;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import org.bergfried.worker.kernel.cpu.PeakLoops;

/// The loops of the Vector API, which has no instruction for products of bytes: it multiplies 16-bit numbers. Each
/// step depends on the one before, so the compiler can leave none out; four chains do not wait for each other.
public final class VectorPeakLoops implements PeakLoops {
    private static final int CHAINS = 4;

    @Override
    public String title() {
        return "loops of the Vector API, " + Width.BITS + " bits";
    }

    @Override
    public long readAll(MemorySegment memory) {
        long vectorBytes = Width.BITS / Byte.SIZE;
        var a = IntVector.zero(Width.I);
        var b = a;
        var c = a;
        var d = a;
        long end = memory.byteSize() / (CHAINS * vectorBytes) * (CHAINS * vectorBytes);
        for (long at = 0; at < end; at += CHAINS * vectorBytes) {
            a = a.add(IntVector.fromMemorySegment(Width.I, memory, at, Width.LE));
            b = b.add(IntVector.fromMemorySegment(Width.I, memory, at + vectorBytes, Width.LE));
            c = c.add(IntVector.fromMemorySegment(Width.I, memory, at + 2 * vectorBytes, Width.LE));
            d = d.add(IntVector.fromMemorySegment(Width.I, memory, at + 3 * vectorBytes, Width.LE));
        }
        return a.add(b).add(c.add(d)).lane(0);
    }

    @Override
    public long dots(long rounds) {
        var w = ShortVector.broadcast(Width.S, (short) 3);
        var a = ShortVector.broadcast(Width.S, (short) 1);
        var b = ShortVector.broadcast(Width.S, (short) 2);
        var c = ShortVector.broadcast(Width.S, (short) 5);
        var d = ShortVector.broadcast(Width.S, (short) 7);
        for (long round = 0; round < rounds; round++) {
            a = a.mul(w).add(w);
            b = b.mul(w).add(w);
            c = c.mul(w).add(w);
            d = d.mul(w).add(w);
        }
        return count(rounds, Width.S.length(), a.add(b).add(c.add(d)).lane(0));
    }

    @Override
    public long fmas(long rounds) {
        var w = FloatVector.broadcast(Width.F, 0.5f);
        var a = FloatVector.broadcast(Width.F, 1);
        var b = FloatVector.broadcast(Width.F, 2);
        var c = FloatVector.broadcast(Width.F, 3);
        var d = FloatVector.broadcast(Width.F, 4);
        for (long round = 0; round < rounds; round++) {
            a = a.fma(w, w);
            b = b.fma(w, w);
            c = c.fma(w, w);
            d = d.fma(w, w);
        }
        return count(rounds, Width.LANES, a.add(b).add(c.add(d)).lane(0));
    }

    /// @param sum what the loop came to, without which a compiler could leave it out; never NaN.
    private static long count(long rounds, int lanes, float sum) {
        return Float.isNaN(sum) ? 0 : rounds * CHAINS * lanes;
    }
}

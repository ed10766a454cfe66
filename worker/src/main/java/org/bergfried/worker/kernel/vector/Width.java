package org.bergfried.worker.kernel.vector;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The one vector width of the process: what the CPU prefers, between 128 and 512 bits. Results do not depend on it.
/// The system property `bergfried.vectorBits` sets it for tests.
final class Width {
    /// Bits of a vector: 128, 256 or 512.
    static final int BITS = Math.clamp(
            Integer.getInteger("bergfried.vectorBits", FloatVector.SPECIES_PREFERRED.vectorBitSize()), 128, 512);

    /// Vectors of float32, one lane for each of [#LANES] numbers.
    static final VectorSpecies<Float> F = VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));
    /// Vectors of int32 with as many lanes.
    static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, VectorShape.forBitSize(BITS));
    /// Vectors of int16 with twice as many lanes.
    static final VectorSpecies<Short> S = VectorSpecies.of(short.class, VectorShape.forBitSize(BITS));
    /// Vectors of int16 with [#LANES] lanes.
    static final VectorSpecies<Short> HALF = VectorSpecies.of(short.class, VectorShape.forBitSize(BITS / 2));
    /// Vectors of int8 with [#LANES] lanes, but at least 8.
    static final VectorSpecies<Byte> B = VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, BITS / 4)));
    /// Vectors of int64 with half as many lanes.
    static final VectorSpecies<Long> L = VectorSpecies.of(long.class, VectorShape.forBitSize(BITS));
    /// Vectors of float64 with half as many lanes.
    static final VectorSpecies<Double> D = VectorSpecies.of(double.class, VectorShape.forBitSize(BITS));

    /// Lanes of a float32 vector: 4, 8 or 16.
    static final int LANES = F.length();

    static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

    private Width() {}
}

package org.bergfried.ops.verify.planted.worker.kernel.scalar;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Breaks: the Vector API outside of its backend.
public final class Vectorises {
    VectorSpecies<Float> species = FloatVector.SPECIES_PREFERRED;
}

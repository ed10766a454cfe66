package org.bergfried.ops.verify.planted.worker.kernel.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Allowed: the Vector API in its backend.
public final class Adds {
    VectorSpecies<Float> species = FloatVector.SPECIES_PREFERRED;
}

package org.bergfried.worker.kernel;

import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// One matrix product of several that do not depend on each other (see [Backend#multiplyAll]).
///
/// @param w     the matrix.
/// @param x     float32 `[n, w.columns]`.
/// @param codes the quantised `x`, read where `w` is integer-coded.
/// @param y     float32 `[n, w.rows]`.
public record Product(Matrix w, Rows x, Codes codes, Rows y) {}

package org.bergfried.worker.trunk;

import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// Rows that one or more matrices are multiplied with. They are quantised (ARITHMETIC.md rule B) when the first
/// integer-coded matrix asks for it, and once for all such matrices.
final class Operand {
    private final Backend backend;
    private final Rows rows; // float32 [n, columns]
    private final Codes codes; // int8 [n, columns], float32 [n, columns / 32]
    private boolean quantised;

    Operand(Backend backend, Rows rows, Codes codes) {
        this.backend = backend;
        this.rows = rows;
        this.codes = codes;
    }

    /// The rows, to be read.
    Rows rows() {
        return rows;
    }

    /// The rows, to be written anew.
    Rows rewrite() {
        quantised = false;
        return rows;
    }

    /// The quantised rows.
    Codes codes(int n) {
        if (!quantised) {
            backend.quantise(rows, n, codes);
            quantised = true;
        }
        return codes;
    }

    /// `y = w x` for each row, by rule C or D. `y`: `[n, w.rows]`.
    void multiply(Matrix w, int n, Rows y) {
        backend.multiply(w, rows, w.type().integerCoded() ? codes(n) : codes, n, y);
    }
}

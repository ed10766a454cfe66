package org.bergfried.worker.expert;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.worker.model.Model;

/// Whether a frame keeps to the protocol and fits the model.
final class FrameCheck {
    private final PlacementFacts facts;
    private final boolean[] floatRows; // [layers], whether the layer's experts need plain rows
    private final long modelTag;
    private final long numericsTag;
    private final int columns;
    private final int rowsMax;

    FrameCheck(Model model, PlacementFacts facts, int rowsMax) {
        this.facts = facts;
        floatRows = new boolean[model.spec().layers().size()];
        for (int layer : facts.moeLayers()) {
            floatRows[layer] = ExpertHost.encoding(model, layer) == RowEncoding.FLOATS;
        }
        modelTag = HelloFrame.modelTag(model.digest());
        numericsTag = HelloFrame.numericsTag(model.numericsId());
        columns = model.spec().hiddenSize();
        this.rowsMax = rowsMax;
    }

    /// @throws ClusterException if the frame breaks the protocol.
    void require(DispatchFrame frame) {
        DispatchFrame.Header header = frame.header();
        if (header.modelTag() != modelTag || header.numericsTag() != numericsTag) {
            throw refusal("it is for another model or arithmetic than its stream's HELLO");
        }
        if (header.columns() != columns) {
            throw refusal("rows of " + header.columns() + " columns; the model has " + columns);
        }
        if (frame.rows() > rowsMax) {
            throw refusal(frame.rows() + " rows; the limit is " + rowsMax);
        }
        if (!facts.moeLayers().contains(header.layer())) {
            throw refusal("layer " + header.layer() + " has no routed experts");
        }
        if (floatRows[header.layer()] && header.encoding() != RowEncoding.FLOATS) {
            throw refusal("quantised rows for layer " + header.layer() + ", whose weights are floats");
        }
        for (int row = 0; row < frame.rows(); row++) {
            for (int place = 0; place < header.width(); place++) {
                if (frame.expert(row, place) >= facts.expertsPerLayer()) {
                    throw refusal("expert " + frame.expert(row, place) + " in row " + row + "; the layer has "
                            + facts.expertsPerLayer());
                }
            }
        }
    }

    private static ClusterException refusal(String what) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, "dispatch refused: " + what);
    }
}

package org.bergfried.worker.client;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.proto.expert.v1.ExpertIds;

/// Sets of experts as messages have them.
public final class WireExperts {
    private WireExperts() {}

    /// A set as messages, a layer at most once.
    public static List<ExpertIds> write(ExpertSet experts) {
        var messages = new ArrayList<ExpertIds>();
        for (int layer : experts.facts().moeLayers()) {
            int[] ids = experts.experts(layer);
            if (ids.length > 0) {
                var message = ExpertIds.newBuilder().setLayer(layer);
                for (int id : ids) {
                    message.addExperts(id);
                }
                messages.add(message.build());
            }
        }
        return messages;
    }

    /// Messages as a set.
    ///
    /// @throws ClusterException INVALID_REQUEST if the model has no such expert.
    public static ExpertSet read(PlacementFacts facts, List<ExpertIds> messages) {
        var cells = new java.util.BitSet();
        for (ExpertIds message : messages) {
            for (int expert : message.getExpertsList()) {
                cells.set(cell(facts, message.getLayer(), expert));
            }
        }
        return ExpertSet.of(facts, cells);
    }

    /// The cell of an expert that a message names.
    ///
    /// @throws ClusterException INVALID_REQUEST if the model has no such expert.
    public static int cell(PlacementFacts facts, int layer, int expert) {
        try {
            return facts.cell(layer, expert);
        } catch (IllegalArgumentException unknown) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "the request names an expert that the model has not: " + unknown.getMessage(),
                    unknown);
        }
    }
}

package org.bergfried.worker.api;

import java.util.function.Supplier;
import org.bergfried.proto.engine.v1.GetExpertLoadResponse;
import org.bergfried.worker.dispatch.ExpertLoad;

/// A trunk's expert load as routers ask for it.
///
/// @param startNumber which start of the worker.
/// @param load        what the trunk counts.
public record ExpertLoads(long startNumber, ExpertLoad load) implements Supplier<GetExpertLoadResponse> {
    @Override
    public GetExpertLoadResponse get() {
        var response = GetExpertLoadResponse.newBuilder().setStartNumber(startNumber);
        for (int layer : load.facts().moeLayers()) {
            var rows = response.addLayersBuilder().setLayer(layer);
            for (int expert = 0; expert < load.facts().expertsPerLayer(); expert++) {
                rows.addRows(load.rows(layer, expert));
            }
        }
        return response.build();
    }
}

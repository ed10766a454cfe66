package org.bergfried.ops.bench;

import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.ModelDescription;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.tool.MachineLimits;

/// Puts figures beside the limits of the machine.
record Shares(ModelDescription model, MachineLimits limits) {
    /// A share of a limit.
    ///
    /// @param value 1 for all of it.
    /// @param limit its name.
    record Share(double value, String limit) {}

    /// Decoding reads weights, reading a prompt multiplies with them.
    Share of(Bench.Figure figure) {
        return switch (figure.kind()) {
            case DECODE ->
                new Share(figure.rate() / figure.count() * stepBytes(figure.count()) / limits.readRate(), "reading");
            case PREFILL -> {
                double multiplyAdds = figure.rate() * multiplyAdds(figure.count());
                yield model.types().getFirst().type().integerCoded()
                        ? new Share(multiplyAdds / limits.dotRate(), "integers")
                        : new Share(multiplyAdds / limits.fmaRate(), "floats");
            }
        };
    }

    /// Multiply-adds of a token of a prompt with weights; only the last token meets the head. Attention adds to them.
    private double multiplyAdds(int tokens) {
        double head = (double) model.spec().vocabularySize() * model.spec().hiddenSize();
        return model.activeParameters() - head + head / tokens;
    }

    /// Bytes of weights that a step of so many streams reads, if every expert is as likely as the next one.
    double stepBytes(int streams) {
        double others = model.activeBytes() - model.activeExpertBytes();
        return others + model.activeExpertBytes() * distinctShare(streams);
    }

    /// How many times a single token's experts a step needs.
    private double distinctShare(int streams) {
        ModelSpec spec = model.spec();
        if (spec.moeLayers().length == 0) {
            return 1;
        }
        var moe = (FeedForwardSpec.Moe) spec.layers().get(spec.moeLayers()[0]);
        double chosen = moe.gate().chosen() / (double) moe.gate().experts();
        double untouched = 1;
        for (int stream = 0; stream < streams; stream++) {
            untouched *= 1 - chosen;
        }
        return (1 - untouched) / chosen;
    }
}

package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads which positions the attention of each layer sees.
final class SpanReader {
    static final String FULL = "full_attention";
    static final String SLIDING = "sliding_attention";

    private final Family family;
    private final Config config;

    SpanReader(Family family, Config config) {
        this.family = family;
        this.config = config;
    }

    List<AttentionSpan> spans(int layers) {
        if (config.flag("use_sliding_window", false)) {
            throw config.refuse("use_sliding_window", "only false is understood");
        }
        List<String> kinds = config.words("layer_types");
        return switch (family.windows()) {
            case NONE -> {
                config.value("sliding_window"); // stated and not used
                requireFull(kinds);
                yield Collections.nCopies(layers, AttentionSpan.ALL);
            }
            case ALL_IF_STATED -> {
                requireFull(kinds);
                int window = config.has("sliding_window") ? window() : 0;
                yield Collections.nCopies(layers, new AttentionSpan(window, true));
            }
            case BY_LAYER, BY_LAYER_ELSE_NO_ROPE -> byLayer(layers, kinds);
        };
    }

    private void requireFull(@Nullable List<String> kinds) {
        if (kinds != null && !kinds.stream().allMatch(FULL::equals)) {
            throw config.refuse("layer_types", "only full_attention is understood");
        }
    }

    private List<AttentionSpan> byLayer(int layers, @Nullable List<String> kinds) {
        if (kinds == null || kinds.size() != layers) {
            throw config.refuse("layer_types", "must name the attention of each of the " + layers + " layers");
        }
        var spans = new ArrayList<AttentionSpan>();
        for (String kind : kinds) {
            spans.add(
                    switch (kind) {
                        case FULL -> new AttentionSpan(0, !turnsOnlyInWindows());
                        case SLIDING -> new AttentionSpan(window(), true);
                        default ->
                            throw config.refuse("layer_types", "understood are full_attention and sliding_attention");
                    });
        }
        return spans;
    }

    private boolean turnsOnlyInWindows() {
        return family.windows() == Family.Windows.BY_LAYER_ELSE_NO_ROPE && config.has("sliding_window");
    }

    private int window() {
        return config.count("sliding_window", Integer.MAX_VALUE);
    }
}

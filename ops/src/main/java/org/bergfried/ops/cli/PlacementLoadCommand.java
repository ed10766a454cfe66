package org.bergfried.ops.cli;

import java.io.PrintStream;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.bergfried.proto.admin.v1.GetExpertLoadRequest;
import org.bergfried.proto.admin.v1.GetExpertLoadResponse;
import org.bergfried.proto.admin.v1.LayerLoad;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Shows how busy experts were.
@Command(
        name = "load",
        mixinStandardHelpOptions = true,
        description = "Shows for each layer how evenly its rows fell on the workers, and its busiest experts.")
final class PlacementLoadCommand implements Runnable {
    private static final int TOP = 5;

    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Option(
            names = "--window",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "The past seconds to count, 1 to 600 (default: ${DEFAULT-VALUE}).")
    private int window = 60;

    PlacementLoadCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = GetExpertLoadRequest.newBuilder()
                .setModel(options.model())
                .setWindowSeconds(window)
                .build();
        options.api(surroundings)
                .call(
                        "PlacementService/GetExpertLoad",
                        request,
                        GetExpertLoadResponse::newBuilder,
                        GetExpertLoadResponse.class,
                        this::show);
    }

    private void show(GetExpertLoadResponse load) {
        PrintStream out = surroundings.out();
        if (options.json()) {
            out.println(AdminApi.json(load));
            return;
        }
        out.printf(
                "%d rows in %.0f s; mean imbalance %.2f (1 is even)%n",
                load.getRows(), load.getWindowSeconds(), load.getMeanImbalance());
        for (LayerLoad layer : load.getLayersList()) {
            out.printf(
                    "  layer %3d  balance %.2f  busiest: %s%n", layer.getLayer(), layer.getBalance(), busiest(layer));
        }
    }

    private static String busiest(LayerLoad layer) {
        return String.join(
                ", ",
                IntStream.range(0, layer.getRowsCount())
                        .boxed()
                        .sorted(Comparator.comparingLong(
                                (Integer expert) -> -Integer.toUnsignedLong(layer.getRows(expert))))
                        .limit(TOP)
                        .map(expert -> expert + " (" + Integer.toUnsignedString(layer.getRows(expert)) + ")")
                        .toList());
    }
}

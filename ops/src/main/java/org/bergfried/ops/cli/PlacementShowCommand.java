package org.bergfried.ops.cli;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import org.bergfried.proto.admin.v1.GetPlacementRequest;
import org.bergfried.proto.admin.v1.GetPlacementResponse;
import org.bergfried.proto.admin.v1.LayerHosts;
import org.bergfried.proto.admin.v1.PlacementState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Shows where experts are.
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = {
            "Shows which worker hosts which expert.",
            "A letter stands for a worker: an expert AB is hosted by A and by B, one - by nobody."
        })
final class PlacementShowCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    PlacementShowCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = GetPlacementRequest.newBuilder().setModel(options.model()).build();
        options.api(surroundings)
                .call(
                        "PlacementService/GetPlacement",
                        request,
                        GetPlacementResponse::newBuilder,
                        GetPlacementResponse.class,
                        this::show);
    }

    private void show(GetPlacementResponse response) {
        PrintStream out = surroundings.out();
        if (options.json()) {
            out.println(AdminApi.json(response));
            return;
        }
        PlacementState placement = response.getPlacement();
        out.printf(
                "%s: epoch %d by %s%s%n",
                placement.getModel(),
                placement.getEpoch(),
                placement.getPlanId().isEmpty() ? "nobody yet" : placement.getPlanId(),
                placement.getAutomatic() ? ", spread evenly by the router" : "");
        print(out, placement);
        placement
                .getPinsList()
                .forEach(pin -> out.printf(
                        "pinned: layer %d expert %d on %s%n", pin.getLayer(), pin.getExpert(), pin.getWorkerId()));
        placement
                .getBansList()
                .forEach(ban -> out.printf(
                        "banned: layer %d expert %d from %s%n", ban.getLayer(), ban.getExpert(), ban.getWorkerId()));
        placement.getDrainingWorkerIdsList().forEach(id -> out.printf("drained: %s%n", id));
    }

    /// A line for each layer, a group of letters for each expert.
    static void print(PrintStream out, PlacementState placement) {
        List<String> workers = placement.getWorkerIdsList();
        int[] experts = new int[workers.size()];
        for (LayerHosts layer : placement.getLayersList()) {
            layer.getHostsList().forEach(host -> experts[host]++);
        }
        for (int i = 0; i < workers.size(); i++) {
            out.printf("  %-4s %-20s %5d experts%n", letters(i), workers.get(i), experts[i]);
        }
        for (LayerHosts layer : placement.getLayersList()) {
            var line = new StringBuilder(String.format(Locale.ROOT, "  layer %3d ", layer.getLayer()));
            int next = 0;
            for (int count : layer.getReplicaCountsList()) {
                line.append(' ').append(count == 0 ? "-" : "");
                for (int replica = 0; replica < count; replica++) {
                    line.append(letters(layer.getHosts(next++)));
                }
            }
            out.println(line);
        }
    }

    /// A, B ... Z, then Aa, Ab and so on.
    private static String letters(int index) {
        String first = String.valueOf((char) ('A' + index % 26));
        return index < 26 ? first : first + (char) ('a' + (index / 26 - 1) % 26);
    }
}

package org.bergfried.ops.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.worker.kernel.choice.BackendSurvey;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/// Lists backends and CUDA devices.
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = {
            "Lists the backends of this machine, why each can or cannot be used, and the CUDA devices.",
            "\"auto\" marks what a worker takes if its configuration does not say otherwise."
        })
final class DeviceListCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private CudaOptions cuda = new CudaOptions();

    @Option(names = "--json", description = "Prints one object of JSON instead.")
    private boolean json;

    DeviceListCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var survey = BackendSurvey.of(cuda.settings());
        List<String> lines = json ? List.of(JsonMapper.shared().writeValueAsString(object(survey))) : table(survey);
        lines.forEach(surroundings.out()::println);
    }

    private static List<String> table(BackendSurvey survey) {
        var lines = new ArrayList<String>();
        for (BackendSurvey.Finding backend : survey.backends()) {
            String state = !backend.usable() ? "no" : backend.name().equals(survey.chosen()) ? "auto" : "yes";
            lines.add("%-8s %-5s %s".formatted(backend.name(), state, backend.detail()));
        }
        for (BackendSurvey.Device device : survey.devices()) {
            String state = device.obstacle().isEmpty() ? "" : ": not used, " + device.obstacle();
            lines.add("               " + device.description().text() + state);
        }
        return lines;
    }

    private static Map<String, Object> object(BackendSurvey survey) {
        var object = new LinkedHashMap<String, Object>();
        object.put("auto", survey.chosen());
        object.put("backends", survey.backends());
        object.put(
                "devices",
                survey.devices().stream().map(DeviceListCommand::object).toList());
        return object;
    }

    private static Map<String, Object> object(BackendSurvey.Device device) {
        var object = new LinkedHashMap<String, Object>();
        object.put("device", device.description().number());
        object.put("name", device.description().name());
        object.put("compute_capability", device.description().capability() / 10.0);
        object.put("memory_bytes", device.description().memoryBytes());
        object.put("multiprocessors", device.description().processors());
        object.put("emulated", device.description().emulated());
        object.put("usable", device.obstacle().isEmpty());
        object.put("obstacle", device.obstacle());
        return object;
    }
}

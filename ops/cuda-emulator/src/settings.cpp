// Settings from the environment.
#include <cstdio>
#include <cstdlib>

#include "driver.h"

namespace emulator {
static const char* const names[] = {"CHECK",   "CHAOS",  "SM",     "PTX",       "DRIVER",
                                    "DEVICES", "MEMORY", "BUDGET", "STATISTICS"};

Settings::Settings() {
    options.budget = 4ull << 30;
    for (auto name : names) {
        const char* value = getenv((std::string("CUDA_EMULATOR_") + name).c_str());
        if (value) set(name, value);
    }
}

bool Settings::set(const std::string& name, const std::string& value) {
    u64 number = strtoull(value.c_str(), nullptr, 0);
    if (name == "CHECK") {
        auto asked = [&](const char* check) {
            return ("," + value + ",").find(std::string(",") + check + ",") != std::string::npos;
        };
        options.sharedRaces = asked("race");
        options.globalRaces = asked("race");
        options.uninitialised = asked("init");
        options.strict = asked("strict");
    } else if (name == "CHAOS") {
        options.chaos = !value.empty();
        options.seed = options.chaos ? number : 1;
    } else if (name == "BUDGET") {
        options.budget = number;
    } else if (name == "SM") {
        computeCapability = (int)number;
    } else if (name == "PTX") {
        ptxVersion = (int)number;
    } else if (name == "DRIVER") {
        driverVersion = (int)number;
    } else if (name == "DEVICES") {
        devices = (int)number;
    } else if (name == "MEMORY") {
        memoryBytes = number;
    } else if (name == "STATISTICS") {
        statistics = !value.empty() && value != "0";
    } else {
        return false;
    }
    return true;
}

Settings& settings() {
    static Settings* instance = new Settings;
    return *instance;
}
}  // namespace emulator

using namespace emulator;

// For tests: name without the prefix, value as in the environment. The checks hold for launches from now on.
DRIVER_FUNCTION cudaEmulatorSet(const char* name, const char* value) {
    std::lock_guard<std::mutex> held(deviceLock);
    return settings().set(name, value) ? SUCCESS : INVALID_VALUE;
}

__attribute__((destructor)) static void report() {
    if (!settings().statistics) return;
    const Statistics& s = state().statistics;
    fprintf(stderr,
            "cuda-emulator: %llu launches, %llu blocks, %llu warp instructions, %llu thread instructions, %.3f s, "
            "%.1f million thread instructions/s\n",
            (unsigned long long)s.launches, (unsigned long long)s.blocks, (unsigned long long)s.warpInstructions,
            (unsigned long long)s.laneInstructions, s.seconds, s.laneInstructions / s.seconds / 1e6);
}

package org.bergfried.contract;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Lays the variables `BERGFRIED_...` over a configuration tree.
final class EnvironmentOverrides {
    private static final String PREFIX = "BERGFRIED_";

    /// Read by the logging configuration, before there is any other.
    private static final String LOG_FORMAT = "BERGFRIED_LOG";

    /// What Kubernetes adds to each container for a service called bergfried-something; no key of ours looks like
    /// this.
    private static final Pattern SERVICE_LINK =
            Pattern.compile("BERGFRIED(_[A-Z0-9_]+)?_(SERVICE_(HOST|PORT)|PORT_[0-9]+_(TCP|UDP))(_[A-Z0-9_]+)?");

    private EnvironmentOverrides() {}

    /// A value from the environment: text whose type the component decides.
    record Variable(String name, String text) {}

    static void apply(Class<?> type, Map<String, @Nullable Object> tree, Map<String, String> environment) {
        new TreeMap<>(environment).forEach((variable, text) -> {
            if (variable.startsWith(PREFIX) && !variable.equals(LOG_FORMAT) && !isServiceLink(variable, text)) {
                set(type, tree, variable, text);
            }
        });
    }

    private static boolean isServiceLink(String variable, String text) {
        boolean address = text.startsWith("tcp://") || text.startsWith("udp://");
        return address || SERVICE_LINK.matcher(variable).matches();
    }

    private static void set(Class<?> root, Map<String, @Nullable Object> tree, String variable, String text) {
        String[] segments = variable.substring(PREFIX.length()).split("__", -1);
        Class<?> type = root;
        Map<String, @Nullable Object> section = tree;
        for (int i = 0; i < segments.length; i++) {
            RecordComponent component = component(type, segments[i], variable);
            if (i == segments.length - 1) {
                section.put(component.getName(), new Variable(variable, text));
            } else {
                type = sectionType(component, variable);
                section = section(section, component.getName(), variable);
            }
        }
    }

    private static RecordComponent component(Class<?> type, String segment, String variable) {
        List<String> known = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            String name = variableName(component.getName());
            if (name.equals(segment)) {
                return component;
            }
            known.add(name);
        }
        throw new ConfigException(
                "environment variable " + variable + ": no configuration key is called " + segment + " here; "
                        + Nearest.suggestion(segment, known),
                null);
    }

    private static Class<?> sectionType(RecordComponent component, String variable) {
        Class<?> type = component.getType();
        if (type == Optional.class) {
            type = ConfigBinder.classOf(ConfigBinder.argument(component.getGenericType(), 0));
        }
        if (!type.isRecord() || ConfigValues.isScalar(type)) {
            throw new ConfigException(
                    "environment variable " + variable + ": " + component.getName() + " is not a section of keys",
                    null);
        }
        return type;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, @Nullable Object> section(
            Map<String, @Nullable Object> parent, String name, String variable) {
        Object present = parent.get(name);
        if (present == null) {
            Map<String, @Nullable Object> created = new LinkedHashMap<>();
            parent.put(name, created);
            return created;
        }
        if (present instanceof Map<?, ?> map) {
            return (Map<String, @Nullable Object>) map;
        }
        throw new ConfigException(
                "environment variable " + variable + ": the file gives " + name + " a value, not a section of keys",
                null);
    }

    /// `expectedWorkers` becomes `EXPECTED_WORKERS`.
    static String variableName(String key) {
        return key.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT);
    }
}

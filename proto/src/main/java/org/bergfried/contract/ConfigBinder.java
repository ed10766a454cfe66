package org.bergfried.contract;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.bergfried.contract.EnvironmentOverrides.Variable;
import org.jspecify.annotations.Nullable;

/// Turns a tree of maps, lists and scalars into records.
final class ConfigBinder {
    private final String source;

    ConfigBinder(String source) {
        this.source = source;
    }

    Object bind(Class<?> rootType, Map<String, @Nullable Object> tree) {
        return record(rootType, tree, null, "");
    }

    private Object record(Class<?> type, @Nullable Object node, @Nullable Object fallback, String path) {
        if (node != null && !(node instanceof Map<?, ?>)) {
            throw error(path, "= " + text(node) + " must be a section of keys");
        }
        Map<?, ?> section = node == null ? Map.of() : (Map<?, ?>) node;
        refuseUnknownKeys(type, section, path);
        Object defaults = fallback == null ? defaultsOf(type) : fallback;
        RecordComponent[] components = type.getRecordComponents();
        @Nullable Object[] values = new @Nullable Object[components.length];
        for (int i = 0; i < components.length; i++) {
            Object inherited = defaults == null ? null : read(components[i], defaults);
            values[i] = component(components[i], section, inherited, path);
        }
        return construct(type, values, section, path);
    }

    private @Nullable Object component(
            RecordComponent component, Map<?, ?> section, @Nullable Object inherited, String path) {
        String name = component.getName();
        String childPath = path.isEmpty() ? name : path + "." + name;
        Class<?> type = component.getType();
        boolean isSection = type.isRecord() && !ConfigValues.isScalar(type);
        Object node = section.get(name);
        if (node != null) {
            return value(component.getGenericType(), node, inherited, childPath);
        }
        if (section.containsKey(name) && !isSection && type != Optional.class) {
            throw error(childPath, "has no value; give one or leave the key out");
        }
        if (inherited != null) {
            return inherited;
        }
        return isSection ? record(type, null, null, childPath) : ConfigValues.absent(type);
    }

    private Object value(Type type, @Nullable Object node, @Nullable Object inherited, String path) {
        Class<?> raw = classOf(type);
        if (raw == Optional.class) {
            Object inner = inherited instanceof Optional<?> optional ? optional.orElse(null) : null;
            return Optional.of(value(argument(type, 0), node, inner, path));
        }
        if (raw == List.class) {
            return list(argument(type, 0), node, path);
        }
        if (raw == Map.class) {
            return map(argument(type, 1), node, path);
        }
        if (ConfigValues.isScalar(raw)) {
            return scalar(raw, node, path);
        }
        if (raw.isRecord()) {
            return record(raw, node, inherited, path);
        }
        throw new IllegalStateException("configuration component " + path + " has the unsupported type " + type);
    }

    private List<Object> list(Type elementType, @Nullable Object node, String path) {
        List<?> items;
        if (node instanceof Variable variable) {
            items = Stream.of(variable.text().split(",", -1))
                    .map(String::strip)
                    .filter(item -> !item.isEmpty())
                    .map(item -> new Variable(variable.name(), item))
                    .toList();
        } else if (node instanceof List<?> given) {
            items = given;
        } else {
            throw error(path, "= " + text(node) + " must be a list");
        }
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            values.add(value(elementType, items.get(i), null, path + "[" + i + "]"));
        }
        return List.copyOf(values);
    }

    private Map<String, Object> map(Type valueType, @Nullable Object node, String path) {
        if (!(node instanceof Map<?, ?> given)) {
            throw error(path, "= " + text(node) + " must be a section of keys");
        }
        Map<String, Object> values = new LinkedHashMap<>();
        given.forEach((key, item) -> values.put(String.valueOf(key), value(valueType, item, null, path + "." + key)));
        return java.util.Collections.unmodifiableMap(values);
    }

    private Object scalar(Class<?> type, @Nullable Object node, String path) {
        if (node == null) {
            throw error(path, "has no value; give one or leave the key out");
        }
        try {
            return ConfigValues.scalar(type, node);
        } catch (IllegalArgumentException wrong) {
            String shown = type == Secret.class ? Secret.MASK : text(node);
            throw new ConfigException(describe(path) + " = " + shown + " " + wrong.getMessage(), wrong);
        }
    }

    private void refuseUnknownKeys(Class<?> type, Map<?, ?> section, String path) {
        List<String> known = Stream.of(type.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
        for (Object key : section.keySet()) {
            String name = String.valueOf(key);
            if (!known.contains(name)) {
                String full = path.isEmpty() ? name : path + "." + name;
                throw error(full, "is not a known key; " + Nearest.suggestion(name, known));
            }
        }
    }

    private Object construct(Class<?> type, @Nullable Object[] values, Map<?, ?> section, String path) {
        try {
            Class<?>[] types = Stream.of(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new);
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (InvocationTargetException refused) {
            throw refusal(refused.getCause(), section, path);
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException("cannot construct " + type, impossible);
        }
    }

    private RuntimeException refusal(@Nullable Throwable cause, Map<?, ?> section, String path) {
        if (!(cause instanceof IllegalArgumentException) && !(cause instanceof NullPointerException)) {
            return new IllegalStateException("the configuration record at " + describe(path) + " failed", cause);
        }
        String separator = cause instanceof Require.BrokenLimit && !path.isEmpty() ? "." : ": ";
        String place = path.isEmpty() ? source : source + ": " + path;
        List<String> variables = section.values().stream()
                .filter(Variable.class::isInstance)
                .map(value -> ((Variable) value).name())
                .toList();
        String hint = variables.isEmpty() ? "" : " (the environment sets " + String.join(", ", variables) + ")";
        return new ConfigException(place + separator + cause.getMessage() + hint, cause);
    }

    private static @Nullable Object defaultsOf(Class<?> type) {
        try {
            Method method = type.getDeclaredMethod("defaults");
            if (!Modifier.isStatic(method.getModifiers()) || method.getReturnType() != type) {
                return null;
            }
            method.setAccessible(true);
            return method.invoke(null);
        } catch (NoSuchMethodException none) {
            return null;
        } catch (ReflectiveOperationException broken) {
            throw new IllegalStateException("the defaults of " + type + " are refused by its own checks", broken);
        }
    }

    static @Nullable Object read(RecordComponent component, Object owner) {
        try {
            Method accessor = component.getAccessor();
            accessor.setAccessible(true);
            return accessor.invoke(owner);
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException("cannot read " + component, impossible);
        }
    }

    static Class<?> classOf(Type type) {
        return type instanceof ParameterizedType generic ? (Class<?>) generic.getRawType() : (Class<?>) type;
    }

    static Type argument(Type type, int index) {
        return ((ParameterizedType) type).getActualTypeArguments()[index];
    }

    private static String text(@Nullable Object node) {
        return node instanceof Variable variable
                ? "\"" + variable.text() + "\" (" + variable.name() + ")"
                : node instanceof String string ? "\"" + string + "\"" : String.valueOf(node);
    }

    private ConfigException error(String path, String message) {
        return new ConfigException(describe(path) + " " + message, null);
    }

    private String describe(String path) {
        return path.isEmpty() ? source : source + ": " + path;
    }
}

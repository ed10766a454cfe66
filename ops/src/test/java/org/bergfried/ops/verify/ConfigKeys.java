package org.bergfried.ops.verify;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.bergfried.contract.ByteSize;

/// The keys of a process's configuration, read off its records.
final class ConfigKeys {
    private ConfigKeys() {}

    /// The paths of all keys that take a value, and its kind: `integer`, `duration`, `size`, `boolean`, or `other`.
    static Map<String, String> of(Class<? extends Record> type) {
        Map<String, String> keys = new TreeMap<>();
        collect(type, "", keys);
        return keys;
    }

    private static void collect(Class<?> type, String path, Map<String, String> keys) {
        for (RecordComponent component : type.getRecordComponents()) {
            Class<?> inner = inner(component);
            if (inner.isRecord() && inner != ByteSize.class) {
                collect(inner, path + component.getName() + ".", keys);
            } else {
                keys.put(path + component.getName(), kind(inner));
            }
        }
    }

    /// The type of the value, also of one that may be absent.
    private static Class<?> inner(RecordComponent component) {
        Type type = component.getGenericType();
        if (type instanceof ParameterizedType generic && generic.getRawType() == Optional.class) {
            type = generic.getActualTypeArguments()[0];
        }
        return type instanceof Class<?> plain ? plain : component.getType();
    }

    private static String kind(Class<?> type) {
        if (type == int.class || type == long.class) {
            return "integer";
        }
        if (type == boolean.class) {
            return "boolean";
        }
        return type == Duration.class ? "duration" : type == ByteSize.class ? "size" : "other";
    }
}

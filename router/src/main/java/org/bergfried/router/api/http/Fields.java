package org.bergfried.router.api.http;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.router.api.AnswerOptions;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The fields of one JSON object, read by name with errors that name path, value and what was expected. A field
/// that is null counts as absent, as OpenAI's clients mean it.
final class Fields {
    private static final int SHOWN_CHARS_MAX = 40;

    private final JsonNode object;
    private final String prefix;

    /// @param path where the object stands, such as `messages[3]`; empty for the body.
    Fields(JsonNode object, String path) {
        if (!object.isObject()) {
            throw AnswerOptions.invalid(path, path + " must be a JSON object");
        }
        this.object = object;
        this.prefix = path.isEmpty() ? "" : path + ".";
    }

    String path(String name) {
        return prefix + name;
    }

    /// The value of a field, or null if it is absent.
    @Nullable
    JsonNode get(String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }

    Iterable<String> names() {
        return object.propertyNames();
    }

    Optional<String> text(String name) {
        JsonNode value = get(name);
        if (value != null && !value.isString()) {
            throw wrong(name, value, "a string");
        }
        return value == null ? Optional.empty() : Optional.of(value.stringValue());
    }

    String requiredText(String name) {
        return text(name).orElseThrow(() -> AnswerOptions.invalid(path(name), path(name) + " is required"));
    }

    boolean flag(String name, boolean absent) {
        JsonNode value = get(name);
        if (value != null && !value.isBoolean()) {
            throw wrong(name, value, "true or false");
        }
        return value == null ? absent : value.booleanValue();
    }

    OptionalDouble number(String name) {
        JsonNode value = get(name);
        if (value != null && !value.isNumber()) {
            throw wrong(name, value, "a number");
        }
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value.doubleValue());
    }

    OptionalInt integer(String name) {
        JsonNode value = get(name);
        if (value != null && !(value.isIntegralNumber() && value.canConvertToInt())) {
            throw wrong(name, value, "a whole number below 2^31");
        }
        return value == null ? OptionalInt.empty() : OptionalInt.of(value.intValue());
    }

    OptionalLong longInteger(String name) {
        JsonNode value = get(name);
        if (value != null && !(value.isIntegralNumber() && value.canConvertToLong())) {
            throw wrong(name, value, "a whole number from -2^63 to 2^63 - 1");
        }
        return value == null ? OptionalLong.empty() : OptionalLong.of(value.longValue());
    }

    /// The elements of a list; none if the field is absent.
    List<JsonNode> list(String name, int sizeMax) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw wrong(name, value, "a list");
        }
        if (value.size() > sizeMax) {
            throw AnswerOptions.invalid(
                    path(name), path(name) + " has " + value.size() + " elements; the limit is " + sizeMax);
        }
        return value.valueStream().toList();
    }

    /// Refuses fields that are neither known nor empty.
    void refuseUnknown(Set<String> known) {
        for (String name : names()) {
            JsonNode value = get(name);
            boolean isEmpty = value == null || (value.isContainer() && value.isEmpty());
            if (!known.contains(name) && !isEmpty) {
                throw AnswerOptions.invalid(
                        path(name), "the field " + path(name) + " is not known; fields here are " + sorted(known));
            }
        }
    }

    ClusterException wrong(String name, JsonNode value, String expected) {
        return AnswerOptions.invalid(path(name), path(name) + " = " + shown(value) + " must be " + expected);
    }

    private static String shown(JsonNode value) {
        String text = value.isContainer() ? (value.isArray() ? "[...]" : "{...}") : value.toString();
        return text.length() <= SHOWN_CHARS_MAX ? text : text.substring(0, SHOWN_CHARS_MAX) + "...";
    }

    private static List<String> sorted(Set<String> names) {
        return names.stream().sorted().toList();
    }
}

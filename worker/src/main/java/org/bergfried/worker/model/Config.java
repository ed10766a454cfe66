package org.bergfried.worker.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.weights.Refusals;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The fields of a model's configuration, in Hugging Face's names. It notes which fields were read, so that what
/// nobody understood can be refused by name: reading a field is what makes it known.
final class Config {
    private final Path file;
    private final ObjectNode fields;
    private final Map<String, String> spelled; // field -> what the file calls it, where that differs
    private final Map<String, String> aliases; // field -> the family's name of it
    private final Set<String> read = new HashSet<>();

    Config(Path file, ObjectNode fields, Map<String, String> spelled) {
        this(file, fields, spelled, Map.of());
    }

    private Config(Path file, ObjectNode fields, Map<String, String> spelled, Map<String, String> aliases) {
        this.file = file;
        this.fields = fields;
        this.spelled = Map.copyOf(spelled);
        this.aliases = aliases;
    }

    /// The same fields, some of which have other names in this family's files.
    Config withAliases(Map<String, String> namesOfFamily) {
        return new Config(file, fields, spelled, namesOfFamily);
    }

    private String inFile(String field) {
        String alias = aliases.get(field);
        return alias != null && fields.has(alias) ? alias : field;
    }

    /// Whether the field is there and not null.
    boolean has(String field) {
        return value(field) != null;
    }

    /// A whole number from 1 to `max`.
    int count(String field, int max) {
        return inRange(field, require(field), 1, max);
    }

    /// The same with a default.
    int count(String field, int max, int fallback) {
        JsonNode value = value(field);
        return value == null ? fallback : inRange(field, value, 1, max);
    }

    /// A whole number from 0 to `max`, with a default.
    int countOrZero(String field, int max, int fallback) {
        JsonNode value = value(field);
        return value == null ? fallback : inRange(field, value, 0, max);
    }

    /// A positive finite number.
    double number(String field) {
        return positive(field, require(field));
    }

    /// The same with a default.
    double number(String field, double fallback) {
        JsonNode value = value(field);
        return value == null ? fallback : positive(field, value);
    }

    /// Whether the field is this number.
    boolean is(String field, int number) {
        JsonNode value = value(field);
        return value != null && value.isNumber() && value.doubleValue() == number;
    }

    /// A truth value with a default.
    boolean flag(String field, boolean fallback) {
        JsonNode value = value(field);
        if (value != null && !value.isBoolean()) {
            throw refuse(field, "must be true or false");
        }
        return value == null ? fallback : value.booleanValue();
    }

    /// A word with a default.
    String word(String field, String fallback) {
        JsonNode value = value(field);
        if (value != null && !value.isString()) {
            throw refuse(field, "must be a string");
        }
        return value == null ? fallback : value.stringValue();
    }

    /// Refuses the file unless the field is absent or has the only understood value.
    void onlyWord(String field, String understood) {
        if (!word(field, understood).equals(understood)) {
            throw refuse(field, "only \"" + understood + "\" is understood");
        }
    }

    /// The same for a truth value.
    void onlyFlag(String field, boolean understood) {
        if (flag(field, understood) != understood) {
            throw refuse(field, "only " + understood + " is understood");
        }
    }

    /// The same for any plain value (a truth value, a word or a whole number) or a list of nothing else.
    void only(String field, Object understood) {
        JsonNode value = value(field);
        boolean same = true;
        if (value != null && value.isArray()) {
            for (JsonNode each : value) {
                same &= equals(each, understood);
            }
        } else if (value != null) {
            same = equals(value, understood);
        }
        if (!same) {
            throw refuse(field, "only " + understood + " is understood");
        }
    }

    private static boolean equals(JsonNode value, Object understood) {
        return switch (understood) {
            case Boolean flag -> value.isBoolean() && value.booleanValue() == flag;
            case Integer number -> value.isNumber() && value.doubleValue() == number;
            default -> value.isString() && value.stringValue().equals(understood);
        };
    }

    /// A list of words, or null.
    @Nullable
    List<String> words(String field) {
        JsonNode value = value(field);
        if (value == null) {
            return null;
        }
        var words = new ArrayList<String>();
        for (JsonNode each : value) {
            words.add(each.isString() ? each.stringValue() : each.toString());
        }
        return words;
    }

    /// An object within this one, or null.
    @Nullable
    Config nested(String field) {
        JsonNode value = value(field);
        if (value == null) {
            return null;
        }
        if (value instanceof ObjectNode object) {
            return new Config(file, object, spelled);
        }
        throw refuse(field, "must be an object");
    }

    /// The raw value, or null if the field is absent or null.
    @Nullable
    JsonNode value(String field) {
        String name = inFile(field);
        read.add(name);
        JsonNode value = fields.get(name);
        return value == null || value.isNull() ? null : value;
    }

    /// Refuses the first field that nobody read and that is not known to leave the numbers alone.
    void refuseUnread(Set<String> harmless) {
        for (Map.Entry<String, JsonNode> field : fields.properties()) {
            String name = field.getKey();
            if (!read.contains(name)
                    && !harmless.contains(name)
                    && !field.getValue().isNull()) {
                throw refusal(name, "this field is not understood and might change the model's numbers");
            }
        }
    }

    /// A refusal that names the file, the field and its value.
    ClusterException refuse(String field, String why) {
        return refusal(inFile(field), why);
    }

    private ClusterException refusal(String field, String why) {
        JsonNode value = fields.get(field);
        String name = spelled.getOrDefault(field, field);
        return Refusals.unsupported(
                file, value == null ? name + " is missing: " + why : name + " = " + shown(value) + ": " + why);
    }

    private JsonNode require(String field) {
        JsonNode value = value(field);
        if (value == null) {
            throw refuse(field, "it must be a number");
        }
        return value;
    }

    private int inRange(String field, JsonNode value, int min, int max) {
        boolean whole = value.isIntegralNumber() && value.canConvertToInt();
        if (!whole || value.intValue() < min || value.intValue() > max) {
            throw refuse(field, "must be a whole number from " + min + " to " + max);
        }
        return value.intValue();
    }

    private double positive(String field, JsonNode value) {
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (!(number > 0) || Double.isInfinite(number)) {
            throw refuse(field, "must be a positive finite number");
        }
        return number;
    }

    private static String shown(JsonNode value) {
        return Refusals.shown(value.toString());
    }
}

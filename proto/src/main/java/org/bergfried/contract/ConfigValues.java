package org.bergfried.contract;

import java.lang.reflect.RecordComponent;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bergfried.contract.EnvironmentOverrides.Variable;
import org.jspecify.annotations.Nullable;

/// The scalar types of configurations: from YAML or the environment to Java and back to text.
final class ConfigValues {
    private static final Set<Class<?>> SCALARS = Set.of(
            int.class,
            Integer.class,
            long.class,
            Long.class,
            double.class,
            Double.class,
            boolean.class,
            Boolean.class,
            String.class,
            Duration.class,
            ByteSize.class,
            Secret.class,
            Path.class);
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,15})(ms|s|m|h|d)");

    private ConfigValues() {}

    static boolean isScalar(Class<?> type) {
        return type.isEnum() || SCALARS.contains(type);
    }

    /// What a constructor gets for a key that nobody set.
    static @Nullable Object absent(Class<?> type) {
        if (type == int.class) {
            return 0;
        } else if (type == long.class) {
            return 0L;
        } else if (type == double.class) {
            return 0.0;
        } else if (type == boolean.class) {
            return false;
        } else if (type == Optional.class) {
            return Optional.empty();
        } else if (type == List.class) {
            return List.of();
        }
        return type == Map.class ? Map.of() : null;
    }

    /// Converts a value; messages continue "path = value".
    static Object scalar(Class<?> type, Object node) {
        if (type == int.class || type == Integer.class) {
            return (int) wholeNumber(node, Integer.MIN_VALUE, Integer.MAX_VALUE);
        } else if (type == long.class || type == Long.class) {
            return wholeNumber(node, Long.MIN_VALUE, Long.MAX_VALUE);
        } else if (type == double.class || type == Double.class) {
            return number(node);
        } else if (type == boolean.class || type == Boolean.class) {
            return truth(node);
        } else if (type == ByteSize.class && node instanceof Number) {
            return new ByteSize(wholeNumber(node, 0, Long.MAX_VALUE));
        }
        String text = text(type, node);
        if (type == Duration.class) {
            return duration(text);
        } else if (type == ByteSize.class) {
            return ByteSize.parse(text);
        } else if (type == Secret.class) {
            return new Secret(text);
        } else if (type == Path.class) {
            return Path.of(text);
        }
        return type.isEnum() ? constant(type, text) : text;
    }

    private static long wholeNumber(Object node, long min, long max) {
        BigInteger value;
        if (node instanceof Integer || node instanceof Long || node instanceof BigInteger) {
            value = new BigInteger(node.toString());
        } else if (node instanceof Variable variable && variable.text().matches("[+-]?[0-9]{1,30}")) {
            value = new BigInteger(variable.text());
        } else {
            throw new IllegalArgumentException("must be a whole number");
        }
        if (value.compareTo(BigInteger.valueOf(min)) < 0 || value.compareTo(BigInteger.valueOf(max)) > 0) {
            throw new IllegalArgumentException("must be from " + min + " to " + max);
        }
        return value.longValue();
    }

    private static double number(Object node) {
        try {
            double value = node instanceof Variable variable
                    ? Double.parseDouble(variable.text())
                    : node instanceof Number given ? given.doubleValue() : Double.NaN;
            if (Double.isFinite(value)) {
                return value;
            }
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException("must be a number", notANumber);
        }
        throw new IllegalArgumentException("must be a finite number");
    }

    private static boolean truth(Object node) {
        if (node instanceof Boolean given) {
            return given;
        }
        String text = node instanceof Variable variable ? variable.text() : "";
        if (!text.equals("true") && !text.equals("false")) {
            throw new IllegalArgumentException("must be true or false");
        }
        return text.equals("true");
    }

    private static String text(Class<?> type, Object node) {
        if (node instanceof Variable variable) {
            return variable.text();
        }
        if (node instanceof String given) {
            return given;
        }
        throw new IllegalArgumentException(
                type == Duration.class
                        ? "must be a duration with its unit, such as 10s or 250ms"
                        : "must be text; put it in quotes");
    }

    static Duration duration(String text) {
        Matcher form = DURATION.matcher(text);
        if (!form.matches()) {
            try {
                return Duration.parse(text);
            } catch (DateTimeParseException unknown) {
                throw new IllegalArgumentException(
                        "must be a duration such as 250ms, 10s, 5m, 2h, 1d or PT10S", unknown);
            }
        }
        long count = Long.parseLong(form.group(1));
        return switch (form.group(2)) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }

    private static Object constant(Class<?> type, String text) {
        for (Object constant : type.getEnumConstants()) {
            if (((Enum<?>) constant).name().equalsIgnoreCase(text)) {
                return constant;
            }
        }
        throw new IllegalArgumentException("must be one of "
                + String.join(
                        ", ",
                        Arrays.stream(type.getEnumConstants())
                                .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                                .toList()));
    }

    /// The shortest form of a duration that is read back as the same.
    static String print(Duration value) {
        if (value.isNegative() || value.toNanosPart() % 1_000_000 != 0) {
            return value.toString();
        }
        return value.toMillisPart() == 0 ? value.toSeconds() + "s" : value.toMillis() + "ms";
    }

    /// A record as a tree of maps, lists and scalars that YAML knows, secrets masked, empty options left out.
    static Map<String, Object> tree(Record config) {
        Map<String, Object> tree = new LinkedHashMap<>();
        for (RecordComponent component : config.getClass().getRecordComponents()) {
            Object value = ConfigBinder.read(component, config);
            if (value instanceof Optional<?> optional) {
                value = optional.orElse(null);
            }
            if (value != null) {
                tree.put(component.getName(), plain(value));
            }
        }
        return tree;
    }

    private static Object plain(Object value) {
        return switch (value) {
            case Duration duration -> print(duration);
            case Secret secret -> secret.toString();
            case ByteSize size -> size.toString();
            case Path path -> path.toString();
            case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT);
            case Record section -> tree(section);
            case List<?> list -> list.stream().map(ConfigValues::plain).toList();
            case Map<?, ?> map -> {
                Map<String, Object> plain = new LinkedHashMap<>();
                map.forEach((key, item) -> plain.put(String.valueOf(key), plain(item)));
                yield plain;
            }
            default -> value;
        };
    }
}

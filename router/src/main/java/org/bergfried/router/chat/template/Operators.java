package org.bergfried.router.chat.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Python's operators: truth, arithmetic, comparison and membership.
final class Operators {
    private static final int INT_BITS_MAX = 1024;

    private final Budget budget;

    Operators(Budget budget) {
        this.budget = budget;
    }

    static boolean isTrue(Value value) {
        return switch (value) {
            case Value.Undefined _, Value.None _ -> false;
            case Value.Bool bool -> bool.value();
            case Value.Int number -> number.value().signum() != 0;
            case Value.Real number -> number.value() != 0;
            case Text text -> !text.isEmpty();
            case Value.Items items -> !items.elements().isEmpty();
            case Value.Mapping mapping -> !mapping.entries().isEmpty();
            case Value.Generator _, Value.Namespace _, Value.Loop _, Value.Callable _ -> true;
        };
    }

    /// The value as an index or a count.
    static int toInt(Value value, String what) {
        BigInteger number = integer(value);
        if (number == null) {
            throw TemplateException.refused(what + " must be an int, not " + PythonText.typeName(value));
        }
        return number.bitLength() < 32
                ? number.intValue()
                : number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
    }

    @Nullable
    private static BigInteger integer(Value value) {
        return switch (value) {
            case Value.Int number -> number.value();
            case Value.Bool bool -> bool.value() ? BigInteger.ONE : BigInteger.ZERO;
            default -> null;
        };
    }

    @Nullable
    private static Double number(Value value) {
        BigInteger integer = integer(value);
        return integer != null
                ? Double.valueOf(integer.doubleValue())
                : value instanceof Value.Real real ? Double.valueOf(real.value()) : null;
    }

    Value binary(String operator, Value left, Value right) {
        requireDefined(operator, left, right);
        if (operator.equals("~")) {
            return concat(PythonText.str(left, budget), PythonText.str(right, budget));
        }
        if (operator.equals("+") && left instanceof Text a && right instanceof Text b) {
            return concat(a, b);
        }
        if (operator.equals("+")
                && left instanceof Value.Items a
                && right instanceof Value.Items b
                && a.kind() == b.kind()
                && a.kind() != Value.Items.Kind.VIEW
                && a.kind() != Value.Items.Kind.RANGE) {
            budget.pay((long) a.elements().size() + b.elements().size());
            List<Value> elements = new ArrayList<>(a.elements());
            elements.addAll(b.elements());
            return new Value.Items(a.kind(), elements);
        }
        if (operator.equals("*") && (left instanceof Text || left instanceof Value.Items) && integer(right) != null) {
            return repeat(left, toInt(right, "a factor"));
        }
        if (operator.equals("*") && (right instanceof Text || right instanceof Value.Items) && integer(left) != null) {
            return repeat(right, toInt(left, "a factor"));
        }
        return arithmetic(operator, left, right);
    }

    private static void requireDefined(String operator, Value left, Value right) {
        if (operator.equals("~")) {
            return;
        }
        if (left instanceof Value.Undefined undefined) {
            throw undefined.error();
        }
        if (right instanceof Value.Undefined undefined) {
            throw undefined.error();
        }
    }

    private Text concat(Text left, Text right) {
        budget.payChars((long) left.length() + right.length());
        return left.plus(right);
    }

    private Value repeat(Value value, int times) {
        int count = Math.max(0, times);
        if (value instanceof Text text) {
            budget.payChars((long) text.length() * count);
            Text.Builder builder = new Text.Builder();
            for (int i = 0; i < count; i++) {
                builder.append(text);
            }
            return builder.build();
        }
        Value.Items items = (Value.Items) value;
        budget.pay((long) items.elements().size() * count);
        List<Value> elements = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            elements.addAll(items.elements());
        }
        return new Value.Items(items.kind(), elements);
    }

    private static Value arithmetic(String operator, Value left, Value right) {
        BigInteger a = integer(left);
        BigInteger b = integer(right);
        if (a != null && b != null && !operator.equals("/")) {
            return integers(operator, a, b);
        }
        Double x = number(left);
        Double y = number(right);
        if (x == null || y == null) {
            throw TemplateException.refused("unsupported operand types for " + operator + ": "
                    + PythonText.typeName(left) + " and " + PythonText.typeName(right));
        }
        return new Value.Real(reals(operator, x, y));
    }

    private static Value integers(String operator, BigInteger a, BigInteger b) {
        if ((operator.equals("//") || operator.equals("%")) && b.signum() == 0) {
            throw TemplateException.refused("integer division or modulo by zero");
        }
        BigInteger result = switch (operator) {
            case "+" -> a.add(b);
            case "-" -> a.subtract(b);
            case "*" -> a.multiply(b);
            case "//" -> floorDivide(a, b);
            case "%" -> a.subtract(floorDivide(a, b).multiply(b));
            default -> throw new IllegalStateException("unknown operator " + operator);
        };
        if (result.bitLength() > INT_BITS_MAX) {
            throw TemplateException.limit("an integer has more than " + INT_BITS_MAX + " bits");
        }
        return new Value.Int(result);
    }

    private static BigInteger floorDivide(BigInteger a, BigInteger b) {
        BigInteger[] parts = a.divideAndRemainder(b);
        boolean below = parts[1].signum() != 0 && parts[1].signum() != b.signum();
        return below ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static double reals(String operator, double a, double b) {
        if (b == 0 && !operator.equals("+") && !operator.equals("-") && !operator.equals("*")) {
            throw TemplateException.refused("division by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - Math.floor(a / b) * b;
            default -> throw new IllegalStateException("unknown operator " + operator);
        };
    }

    static Value sign(Value value, boolean negative) {
        BigInteger integer = integer(value);
        if (integer != null) {
            return new Value.Int(negative ? integer.negate() : integer);
        }
        return switch (value) {
            case Value.Real real -> new Value.Real(negative ? -real.value() : real.value());
            case Value.Undefined undefined -> throw undefined.error();
            default -> throw TemplateException.refused("bad operand type for a sign: " + PythonText.typeName(value));
        };
    }

    boolean compare(String operator, Value left, Value right) {
        return switch (operator) {
            case "==" -> areEqual(left, right);
            case "!=" -> !areEqual(left, right);
            case "in" -> isIn(left, right);
            case "not in" -> !isIn(left, right);
            case "<" -> order(left, right) < 0;
            case "<=" -> order(left, right) <= 0;
            case ">" -> order(left, right) > 0;
            case ">=" -> order(left, right) >= 0;
            default -> throw new IllegalStateException("unknown operator " + operator);
        };
    }

    boolean areEqual(Value left, Value right) {
        budget.enter();
        boolean equal = switch (left) {
            case Value.Undefined _ -> right instanceof Value.Undefined;
            case Value.None _ -> right instanceof Value.None;
            case Value.Bool _, Value.Int _, Value.Real _ -> number(right) != null && orderNumbers(left, right) == 0;
            case Text text -> text.equals(right);
            case Value.Items items ->
                right instanceof Value.Items others
                        && items.kind() == others.kind()
                        && elementsEqual(items.elements(), others.elements());
            case Value.Mapping mapping ->
                right instanceof Value.Mapping other && entriesEqual(mapping.entries(), other.entries());
            case Value.Generator _, Value.Namespace _, Value.Loop _, Value.Callable _ -> isSame(left, right);
        };
        budget.leave();
        return equal;
    }

    @SuppressWarnings("ReferenceEquality") // These have an identity and may contain themselves.
    private static boolean isSame(Value left, Value right) {
        return left == right;
    }

    private boolean elementsEqual(List<Value> left, List<Value> right) {
        if (left.size() != right.size()) {
            return false;
        }
        Iterator<Value> others = right.iterator();
        for (Value value : left) {
            if (!areEqual(value, others.next())) {
                return false;
            }
        }
        return true;
    }

    private boolean entriesEqual(Map<Value, Value> left, Map<Value, Value> right) {
        if (left.size() != right.size()) {
            return false;
        }
        for (Map.Entry<Value, Value> entry : left.entrySet()) {
            Value other = right.get(entry.getKey());
            if (other == null || !areEqual(entry.getValue(), other)) {
                return false;
            }
        }
        return true;
    }

    private static int orderNumbers(Value left, Value right) {
        BigInteger a = integer(left);
        BigInteger b = integer(right);
        if (a != null && b != null) {
            return a.compareTo(b);
        }
        double x = a != null ? a.doubleValue() : ((Value.Real) left).value();
        double y = b != null ? b.doubleValue() : ((Value.Real) right).value();
        return x < y ? -1 : x == y ? 0 : 1;
    }

    /// Python's order, which knows only numbers, strings and sequences of one kind.
    int order(Value left, Value right) {
        budget.enter();
        try {
            if (left instanceof Text a && right instanceof Text b) {
                return orderCodePoints(a.value(), b.value());
            }
            if (number(left) != null && number(right) != null) {
                return orderNumbers(left, right);
            }
            if (left instanceof Value.Items a && right instanceof Value.Items b && a.kind() == b.kind()) {
                return orderElements(a.elements(), b.elements());
            }
            requireDefined("<", left, right);
            throw TemplateException.refused(
                    "no order between " + PythonText.typeName(left) + " and " + PythonText.typeName(right));
        } finally {
            budget.leave();
        }
    }

    private int orderElements(List<Value> left, List<Value> right) {
        for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
            if (!areEqual(left.get(i), right.get(i))) {
                return order(left.get(i), right.get(i));
            }
        }
        return Integer.compare(left.size(), right.size());
    }

    private static int orderCodePoints(String left, String right) {
        Iterator<Integer> others = right.codePoints().iterator();
        for (int c : left.codePoints().toArray()) {
            int other = others.hasNext() ? others.next() : -1;
            if (c != other) {
                return Integer.compare(c, other);
            }
        }
        return others.hasNext() ? -1 : 0;
    }

    boolean isIn(Value element, Value container) {
        return switch (container) {
            case Text text -> {
                if (element instanceof Value.Undefined undefined) {
                    throw undefined.error();
                }
                if (!(element instanceof Text part)) {
                    throw TemplateException.refused(
                            "'in' a string needs a string, not " + PythonText.typeName(element));
                }
                budget.payChars(text.length());
                yield text.value().contains(part.value());
            }
            case Value.Mapping mapping -> mapping.entries().containsKey(key(element));
            case Value.Items items -> anyEqual(element, items.elements());
            case Value.Generator generator -> anyEqual(element, generator.take());
            case Value.Undefined _ -> false;
            case Value.None _,
                    Value.Bool _,
                    Value.Int _,
                    Value.Real _,
                    Value.Namespace _,
                    Value.Loop _,
                    Value.Callable _ ->
                throw TemplateException.refused("'in' cannot look into a " + PythonText.typeName(container));
        };
    }

    private boolean anyEqual(Value element, List<Value> elements) {
        for (Value value : elements) {
            if (areEqual(value, element)) {
                return true;
            }
        }
        return false;
    }

    /// The value as a key of a dict: only what cannot change may be one.
    static Value key(Value value) {
        return switch (value) {
            case Text _, Value.Int _, Value.Real _, Value.None _, Value.Undefined _ -> value;
            case Value.Bool bool -> Value.Int.of(bool.value() ? 1 : 0);
            case Value.Items _, Value.Generator _, Value.Mapping _, Value.Namespace _, Value.Loop _, Value.Callable _ ->
                throw TemplateException.refused("a " + PythonText.typeName(value) + " cannot be a key");
        };
    }
}

package dev.penstock.prompt.template;

import dev.penstock.prompt.template.Expression.Operator;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic, on integers of 64 bits: beyond those it faults instead of growing. */
final class Arithmetic {
    private Arithmetic() {}

    static boolean isNumber(Object value) {
        return value instanceof Number || value instanceof Boolean;
    }

    /** Exact, also between integers and floats; NaN is not equal to anything and comes last. */
    static int compare(Object a, Object b) {
        Object left = plain(a);
        Object right = plain(b);
        if (left instanceof Long s && right instanceof Long t) {
            return Long.compare(s, t);
        }
        if (left instanceof Double s && !Double.isFinite(s) || right instanceof Double t && !Double.isFinite(t)) {
            double s = ((Number) left).doubleValue();
            double t = ((Number) right).doubleValue();
            return s == t ? 0 : s < t ? -1 : 1;
        }
        return decimal(left).compareTo(decimal(right));
    }

    private static BigDecimal decimal(Object number) {
        return switch (number) {
            case Double value -> new BigDecimal(value);
            case BigInteger value -> new BigDecimal(value);
            default -> BigDecimal.valueOf(((Number) number).longValue());
        };
    }

    /** A truth value as the number that it is in Python. */
    private static Object plain(Object value) {
        return value instanceof Boolean flag ? (Object) (flag ? 1L : 0L) : value;
    }

    static Object unary(Operator operator, Object operand) {
        Object value = plain(operand);
        if (value instanceof Long number) {
            return operator == Operator.SUBTRACT ? exact(() -> Math.negateExact(number)) : number;
        }
        if (value instanceof Double number) {
            return operator == Operator.SUBTRACT ? -number : number;
        }
        throw operand instanceof Undefined undefined
                ? undefined.fault()
                : new TemplateFault("'" + operator.sign() + "' does not apply to '" + Values.typeName(operand) + "'");
    }

    static Object binary(Operator operator, Object a, Object b, Budget budget) {
        if (operator == Operator.ADD && a instanceof String s && b instanceof String t) {
            budget.text((long) s.length() + t.length());
            return s.concat(t);
        }
        Object left = plain(a);
        Object right = plain(b);
        if (left instanceof Long s && right instanceof Long t) {
            return integers(operator, s, t);
        }
        if ((left instanceof Long || left instanceof Double) && (right instanceof Long || right instanceof Double)) {
            return floats(operator, ((Number) left).doubleValue(), ((Number) right).doubleValue());
        }
        if (operator == Operator.ADD) {
            Object sum = concatenated(a, b, budget);
            if (sum != None.NONE) {
                return sum;
            }
        }
        if (operator == Operator.MULTIPLY && right instanceof Long times) {
            Object product = repeated(a, times, budget);
            if (product != None.NONE) {
                return product;
            }
        }
        if (operator == Operator.MULTIPLY && left instanceof Long times) {
            Object product = repeated(b, times, budget);
            if (product != None.NONE) {
                return product;
            }
        }
        if (operator == Operator.MODULO && a instanceof String format) {
            return Printf.format(format, b, budget);
        }
        throw a instanceof Undefined undefined
                ? undefined.fault()
                : b instanceof Undefined undefined
                        ? undefined.fault()
                        : new TemplateFault("'" + operator.sign() + "' is not supported between '" + Values.typeName(a)
                                + "' and '" + Values.typeName(b) + "'");
    }

    /** Two lists or two tuples as one, or None if they are neither. */
    private static Object concatenated(Object a, Object b, Budget budget) {
        boolean lists = a instanceof List<?> && b instanceof List<?>;
        List<Object> left = Values.sequence(a);
        List<Object> right = Values.sequence(b);
        if (left == null || right == null || !lists && !(a instanceof Tuple && b instanceof Tuple)) {
            return None.NONE;
        }
        budget.steps((long) left.size() + right.size());
        List<Object> sum = new ArrayList<>(left.size() + right.size());
        sum.addAll(left);
        sum.addAll(right);
        return lists ? sum : new Tuple(sum);
    }

    /** A string, list or tuple several times over, or None if it is none of these. */
    private static Object repeated(Object value, long times, Budget budget) {
        long count = Math.clamp(times, 0, Integer.MAX_VALUE);
        if (value instanceof String text) {
            budget.text(text.length() * count);
            return text.repeat((int) count);
        }
        List<Object> elements = Values.sequence(value);
        if (elements == null || value instanceof View) {
            return None.NONE;
        }
        budget.steps(elements.size() * count);
        List<Object> product = new ArrayList<>();
        for (long i = 0; i < count && !elements.isEmpty(); i++) {
            product.addAll(elements);
        }
        return value instanceof Tuple ? new Tuple(product) : product;
    }

    private static Object integers(Operator operator, long a, long b) {
        return switch (operator) {
            case ADD -> exact(() -> Math.addExact(a, b));
            case SUBTRACT -> exact(() -> Math.subtractExact(a, b));
            case MULTIPLY -> exact(() -> Math.multiplyExact(a, b));
            case DIVIDE -> {
                nonZero(b);
                yield (double) a / b;
            }
            case FLOOR_DIVIDE -> {
                nonZero(b);
                yield exact(() -> Math.floorDivExact(a, b));
            }
            case MODULO -> {
                nonZero(b);
                yield Math.floorMod(a, b);
            }
            case POWER -> b < 0 ? floats(operator, a, b) : exact(() -> power(a, b));
            default -> throw new TemplateFault("'" + operator.sign() + "' is not arithmetic");
        };
    }

    private static long power(long base, long exponent) {
        if (base == 0 || base == 1 || base == -1) {
            return exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base;
        }
        long result = 1;
        // Every other base overflows within 64 rounds.
        for (long i = 0; i < exponent; i++) {
            result = Math.multiplyExact(result, base);
        }
        return result;
    }

    private static Object floats(Operator operator, double a, double b) {
        return switch (operator) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> {
                nonZero(b);
                yield a / b;
            }
            case FLOOR_DIVIDE -> {
                nonZero(b);
                yield floorDivide(a, b);
            }
            case MODULO -> {
                nonZero(b);
                yield rest(a, b);
            }
            case POWER -> {
                if (a == 0 && b < 0) {
                    throw new TemplateFault("0 can't be raised to a negative power");
                }
                double power = Math.pow(a, b);
                if (Double.isNaN(power) || Double.isInfinite(power)) {
                    throw new TemplateFault("the result of ** is not a finite number");
                }
                yield power;
            }
            default -> throw new TemplateFault("'" + operator.sign() + "' is not arithmetic");
        };
    }

    /** The rest of a division, with the sign of the divisor. */
    private static double rest(double a, double b) {
        double rest = a % b;
        if (rest == 0) {
            return Math.copySign(0, b);
        }
        return rest < 0 != b < 0 ? rest + b : rest;
    }

    /** By way of the rest, which is exact, as Python does: 1 // 0.1 is 9. */
    private static double floorDivide(double a, double b) {
        double rest = a % b;
        double quotient = (a - rest) / b - (rest != 0 && rest < 0 != b < 0 ? 1 : 0);
        if (quotient == 0) {
            return Math.copySign(0, a / b);
        }
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static void nonZero(double divisor) {
        if (divisor == 0) {
            throw new TemplateFault("division by zero");
        }
    }

    private interface Exact {
        long result();
    }

    private static Object exact(Exact operation) {
        try {
            return operation.result();
        } catch (ArithmeticException e) {
            throw new TemplateFault("an integer grows beyond 64 bits");
        }
    }
}

package dev.penstock.prompt.template;

/**
 * What a name, attribute or element that is not there stands for: prints as nothing, is false, has no elements; anything
 * else done with it is a fault.
 *
 * @param message what is missing
 */
record Undefined(String message) {
    TemplateFault fault() {
        return new TemplateFault(message);
    }

    static Undefined name(String name) {
        return new Undefined("'" + Text.shorten(name) + "' is undefined");
    }

    static Undefined attribute(Object of, String name) {
        String owner = of == None.NONE ? "None" : "'" + Values.typeName(of) + " object'";
        return new Undefined(owner + " has no attribute '" + Text.shorten(name) + "'");
    }

    static Undefined element(Object of, Object index) {
        return index instanceof String name
                ? attribute(of, name)
                : new Undefined("'" + Values.typeName(of) + " object' has no element "
                        + (index instanceof Number ? index : "of type " + Values.typeName(index)));
    }
}

package dev.penstock.onnx;

/** A type of node that ONNX Runtime does not have and we do. Its kernels may run on any thread, one at a time. */
interface OperatorType {
    /** Its name in {@link GraphContract#DOMAIN}. */
    String name();

    /** Its inputs, in order. */
    Input[] inputs();

    /** Makes the kernel of one node; throws IllegalArgumentException where its attributes make no sense. */
    Kernel kernel(OperatorAttributes attributes);

    /**
     * An input.
     *
     * @param elementType code of its elements' type, {@link #ANY_TYPE} for any
     * @param optional whether a node may leave it out
     */
    record Input(int elementType, boolean optional) {
        /** ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED. */
        static final int ANY_TYPE = 0;

        static Input required(ElementType type) {
            return new Input(type.code(), false);
        }

        static Input optional(ElementType type) {
            return new Input(type.code(), true);
        }

        static Input requiredOfAnyType() {
            return new Input(ANY_TYPE, false);
        }
    }

    /** Computes one node; it has one output, of floats. */
    @FunctionalInterface
    interface Kernel {
        /** Takes the inputs from the context and fills the output; what it throws fails the run with its message. */
        void compute(OperatorContext context) throws Throwable;
    }
}

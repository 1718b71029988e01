package dev.penstock.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTest {
    @Test
    void aDeviceIsNamedByItsLabelWhateverTheCase() {
        assertThat(Device.ofLabel("cpu")).contains(Device.CPU);
        assertThat(Device.ofLabel("CPU")).contains(Device.CPU);
        assertThat(Device.ofLabel("cuda")).contains(new Device.Cuda(0));
        assertThat(Device.ofLabel("Cuda:12")).contains(new Device.Cuda(12));
        assertThat(Device.ofLabel(new Device.Cuda(3).label())).contains(new Device.Cuda(3));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "gpu", "cuda:", "cuda:-1", "cuda:1.5", "cuda:1000", "cuda:0 ", "cpu:0"})
    void whatIsNoDeviceIsNone(String label) {
        assertThat(Device.ofLabel(label)).isEmpty();
    }
}

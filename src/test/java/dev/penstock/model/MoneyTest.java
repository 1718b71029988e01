package dev.penstock.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MoneyTest {
    @Test
    void dollarsAreKeptToTheBillionth() {
        assertThat(Money.ofUsd(new BigDecimal("0.31")).nanoUsd()).isEqualTo(310_000_000);
        assertThat(new Money(1).usd()).isEqualByComparingTo("0.000000001");
    }

    @Test
    void whatIsTooMuchToCountStaysTheMost() {
        assertThat(Money.MAX.plus(new Money(1))).isEqualTo(Money.MAX);
        assertThat(new Money(Long.MAX_VALUE / 2).times(3)).isEqualTo(Money.MAX);
        assertThat(new Money(Long.MAX_VALUE / 2).times(-3).nanoUsd()).isNegative();
        assertThat(new Money(-5).minus(Money.MAX).nanoUsd()).isEqualTo(-Long.MAX_VALUE);
        assertThat(Money.ofNanoUsd(1e300)).isEqualTo(Money.MAX);
        assertThat(Money.ofNanoUsd(Double.NaN)).isEqualTo(Money.MAX);
        assertThat(Money.ofUsd(new BigDecimal("1e30"))).isEqualTo(Money.MAX);
    }

    @Test
    void tokensAreChargedByTheirKind() {
        Price.PerToken price = new Price.PerToken(200, 20, 400);
        assertThat(price.of(new Usage(1000, 900, 10)).nanoUsd()).isEqualTo(100 * 200 + 900 * 20 + 10 * 400);
    }

    @Test
    void negativePricesAndEmptyBudgetsAreRefused() {
        assertThatThrownBy(() -> new Price.PerToken(-1, 0, 0)).hasMessageContaining("must not be negative");
        assertThatThrownBy(() -> new Price.PerHour(new Money(-1))).hasMessageContaining("must not be negative");
        assertThatThrownBy(() -> Budget.ofLatency(Duration.ZERO, null, null)).hasMessageContaining("TTFT");
    }
}

"""Light Up (Akari): place bulbs so that every open cell is lit and no bulb shines on another."""

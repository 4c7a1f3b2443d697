"""What models remember: kept as history has it, found again within a window, accounted for."""

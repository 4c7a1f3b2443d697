"""What a good run is: stages, the gates behind them, evidence and remedies."""

DROP TABLE reconciliations;
DROP TABLE closing_nonces;
DROP TABLE closing_balances;
DROP TABLE closings;

DROP TABLE reconciliations;
DROP TABLE closing_balances;
DROP TABLE closings;

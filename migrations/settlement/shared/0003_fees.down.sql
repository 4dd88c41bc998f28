DROP VIEW fees;

-- Every account's name and every key are lost: roll back only with a backup at hand.

DROP TABLE master_key_check;
DROP TABLE api_keys;
DROP TABLE accounts;

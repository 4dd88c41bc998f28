-- What each side of each trade paid; negative is a rebate.

CREATE VIEW fees AS
SELECT instrument, trade_id, time, sequence, event_index, taker_account AS account, taker_order_id AS order_id,
       0 AS is_maker, taker_fee_asset AS asset, taker_fee AS fee
FROM trades
UNION ALL
SELECT instrument, trade_id, time, sequence, event_index, maker_account AS account, maker_order_id AS order_id,
       1 AS is_maker, maker_fee_asset AS asset, maker_fee AS fee
FROM trades;

<?php
// What a shop would write: check the signature, store one row, answer. Up2pay calls by GET, Sogecommerce posts a form.
declare(strict_types=1);

function refuse(int $status): never
{
    http_response_code($status);
    header('Content-Length: 0');
    exit;
}

$raw = $_SERVER['REQUEST_METHOD'] === 'GET' ? $_SERVER['QUERY_STRING'] : file_get_contents('php://input');
if ($_SERVER['REQUEST_METHOD'] === 'GET') {
    $end = strrpos($raw, '&Signature=');
    if ($end === false) {
        refuse(400);
    }
    $signature = base64_decode(rawurldecode(substr($raw, $end + 11)), true);
    $key = openssl_pkey_get_public(file_get_contents($_SERVER['PEER_PUBLIC_KEY']));
    if ($signature === false || openssl_verify(substr($raw, 0, $end), $signature, $key, OPENSSL_ALGO_SHA1) !== 1) {
        refuse(403);
    }
    $row = ['up2pay', $_GET['Ref'] ?? '', (int) ($_GET['Mt'] ?? 0), $raw];
} else {
    $fields = array_filter($_POST, static fn ($name) => str_starts_with((string) $name, 'vads_'), ARRAY_FILTER_USE_KEY);
    ksort($fields);
    $signed = implode('+', $fields) . '+' . $_SERVER['PEER_FORM_KEY'];
    $wanted = base64_encode(hash_hmac('sha256', $signed, $_SERVER['PEER_FORM_KEY'], true));
    if (!hash_equals($wanted, $_POST['signature'] ?? '')) {
        refuse(403);
    }
    $row = ['sogecommerce', $_POST['vads_order_id'] ?? '', (int) ($_POST['vads_amount'] ?? 0), $raw];
}

$store = new PDO($_SERVER['PEER_DSN'], null, null, [
    PDO::ATTR_PERSISTENT => true,
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    PDO::ATTR_TIMEOUT => 30,
]);
if (str_starts_with($_SERVER['PEER_DSN'], 'sqlite:')) {
    $store->exec('PRAGMA synchronous = FULL');
}
$store->prepare('INSERT INTO calls (psp, order_ref, cents, raw) VALUES (?, ?, ?, ?)')->execute($row);
header('Content-Length: 3');
echo "OK\n";
